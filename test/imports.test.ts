import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import ts from 'typescript'

const ROOT = join(__dirname, '..')
const SRC = join(ROOT, 'src')

/**
 * `src`: any file of `src`. `scan/*`: any file of that folder.
 * Imports of types alone are free within `src` and from Node.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  main: ['src'],
  config: ['dotenv', 'errors', 'parse-config', 'static-credentials'],
  'parse-config': [
    ...['node:util', '../package.json'],
    ...['errors', 'parse-layout', 'parse-shard', 'parse-value', 'settings', 'static-credentials', 'usage'],
  ],
  'parse-value': ['date-fns/format', 'errors'],
  'parse-shard': ['errors', 'parse-value'],
  'static-credentials': ['errors'],
  settings: [],
  usage: ['settings'],

  'build-key': ['date-fns/format', '@date-fns/utc/date/mini', 'errors'],
  'parse-layout': ['build-key', 'errors'],
  checksum: ['node:zlib'],
  'part-size': ['errors'],
  'take-share': ['node:crypto'],
  budget: [],
  'map-parallel': [],
  errors: [],
  'stop-signal': ['node:events', 'errors'],

  'find-csv': ['node:fs', 'node:path', 'node:timers/promises', 'errors', 'part-size'],
  stamp: [],
  'csv-file': ['node:fs', 'node:util', 'node:zlib', 'errors', 'stamp'],
  'read-parts': ['csv-file', 'stamp'],
  'read-csv': ['node:zlib', 'checksum', 'csv-file', 'read-parts', 'scan/scan-csv'],
  'check-csv': ['errors'],
  'scan/*': ['scan/*', 'node:buffer', 'node:os'],

  connect: ['@aws-sdk/client-s3', '@smithy/core/retry', 'body-transport', 'errors', 'stop-signal'],
  dialect: ['s3-failure'],
  'body-transport': ['@aws-sdk/client-s3', 'node:stream'],
  's3-failure': ['@aws-sdk/client-s3', 'errors'],
  's3-request': ['@aws-sdk/client-s3', 's3-failure', 'checksum', 'stop-signal'],
  'look-at-bucket': ['@aws-sdk/client-s3', 'errors', 's3-failure', 's3-request'],
  'create-bucket': [
    ...['@aws-sdk/client-s3', 'node:timers/promises', 'errors'],
    ...['connect', 'look-at-bucket', 's3-failure', 's3-request'],
  ],
  'existing-objects': ['@aws-sdk/client-s3', 'errors', 's3-failure', 's3-request'],
  'same-content': ['@aws-sdk/client-s3', 'node:crypto', 'existing-objects', 'checksum', 'read-csv', 'read-parts'],
  verify: ['node:crypto', 'errors', 'existing-objects', 'checksum'],
  delivery: [],
  'object-metadata': [],
  'put-object': [
    ...['node:timers/promises', 'dialect', 'errors', 's3-failure', 'existing-objects'],
    ...['same-content', 'upload-whole', 'multipart', 'verify'],
  ],
  'upload-whole': [
    ...['@aws-sdk/client-s3', 'errors', 's3-failure', 's3-request', 'delivery', 'object-metadata', 'verify'],
    ...['checksum', 'csv-file'],
  ],
  multipart: [
    ...['@aws-sdk/client-s3', 'errors', 's3-failure', 's3-request', 'object-metadata', 'send-part'],
    ...['unfinished-upload', 'complete-upload', 'csv-file', 'stamp', 'map-parallel', 'stop-signal'],
  ],
  'send-part': ['@aws-sdk/client-s3', 'csv-file', 'errors', 's3-request', 'verify'],
  'complete-upload': [
    ...['@aws-sdk/client-s3', 'errors', 's3-request', 'delivery', 'existing-objects', 'verify', 'checksum'],
  ],
  'unfinished-upload': [
    ...['@aws-sdk/client-s3', 'errors', 's3-failure', 's3-request', 'existing-objects', 'same-content'],
    ...['checksum', 'read-csv'],
  ],

  'file-report': ['errors', 'checksum'],
  summary: ['errors', 'file-report'],
  'write-manifest': [
    ...['@aws-sdk/client-s3', 'node:zlib', 'build-key', 'dialect', 'errors'],
    ...['file-report', 's3-request', 'verify'],
  ],
  report: ['printable', 'report-events', 'report-text', 'terminal'],
  'report-events': ['check-csv'],
  'report-text': ['check-csv', 'closing', 'draw-table', 'printable', 'progress', 'text-width', 'wording'],
  'text-width': ['string-width'],
  closing: ['wording'],
  'draw-table': ['printable', 'wording'],
  progress: ['wording'],
  terminal: ['node:util', 'log-update', 'cli-truncate', 'wrap-ansi'],
  wording: [],
  printable: ['node:util'],
  demo: ['node:child_process', 'node:events', 'node:fs', 'node:path', 's3rver'],
}

/** The files that talk to S3: no other one knows the SDK, not even by its types. */
const KNOW_THE_SDK = [
  ...['body-transport', 'connect', 'look-at-bucket', 'create-bucket', 'existing-objects', 'same-content'],
  ...['upload-whole', 'multipart', 'send-part', 'complete-upload', 'unfinished-upload', 'write-manifest'],
  ...['s3-request', 's3-failure'],
]

/** The row for a file. */
const rowOf = (name: string) => (name.startsWith('scan/') ? 'scan/*' : name)

/** What only these files may touch. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  'process.env': ['config', 'demo'],
  'process.argv': ['config', 'demo'],
  'process.stdout': ['main'],
  'process.stderr': ['main'],
  'process.exitCode': ['main', 'demo'],
  'process.exit': ['stop-signal', 'main'],
  console: ['demo'],
}

interface Import {
  readonly from: string
  /** The exports that are taken; `*` for all of them. */
  readonly names: readonly string[]
  readonly isTypeOnly: boolean
}

interface Module {
  readonly name: string
  readonly text: string
  readonly source: ts.SourceFile
  readonly imports: readonly Import[]
}

function readModule(path: string): Module {
  const text = readFileSync(path, 'utf8')
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const folder = dirname(path)
  const imports = [
    ...source.statements.flatMap(statement => readImport(statement, folder)),
    ...readLazyImports(source, folder),
  ]
  return { name: nameFile(path), text, source, imports }
}

function readImport(statement: ts.Statement, folder: string): Import[] {
  if (ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined) {
    const names = listed(statement).map(element => (element.propertyName ?? element.name).text)
    return [{ from: nameOf(statement.moduleSpecifier, folder), names, isTypeOnly: statement.isTypeOnly }]
  }
  if (!ts.isImportDeclaration(statement)) return []
  const from = nameOf(statement.moduleSpecifier, folder)
  const { importClause: clause } = statement
  if (clause === undefined) return [{ from, names: ['*'], isTypeOnly: false }]
  const allTypes = clause.phaseModifier === ts.SyntaxKind.TypeKeyword
  const bindings = clause.namedBindings
  const whole = clause.name !== undefined || (bindings !== undefined && ts.isNamespaceImport(bindings))
  const elements = bindings !== undefined && ts.isNamedImports(bindings) ? [...bindings.elements] : []
  return [
    ...(whole ? [{ from, names: ['*'], isTypeOnly: allTypes }] : []),
    ...elements.map(element => ({
      from,
      names: [(element.propertyName ?? element.name).text],
      isTypeOnly: allTypes || element.isTypeOnly,
    })),
  ]
}

/** A file of `src` by its path in there, without `.ts`: `scan/scan-csv`. */
function nameFile(path: string): string {
  return relative(SRC, path).replaceAll('\\', '/').replace(/\.ts$/, '')
}

function nameOf(specifier: ts.Expression, folder: string): string {
  assert.ok(ts.isStringLiteral(specifier))
  return specifier.text.startsWith('.') ? nameFile(join(folder, specifier.text)) : specifier.text
}

/** What `export { … }` lists. */
function listed({ exportClause: clause }: ts.ExportDeclaration): readonly ts.ExportSpecifier[] {
  assert.ok(clause !== undefined && ts.isNamedExports(clause), 'an export without names')
  return clause.elements
}

/** The names that a module exports. */
function exportsOf({ name, source }: Module): string[] {
  return source.statements.flatMap(statement => {
    assert.ok(!ts.isExportAssignment(statement), `${name} has an export without a name`)
    if (ts.isExportDeclaration(statement)) return listed(statement).map(element => element.name.text)
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(modifier => modifier.kind === ts.SyntaxKind.ExportKeyword)
    if (isExported !== true) return []
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(each => each.name.getText())
    const isNamed = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)
    const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
    return isNamed || isType ? [statement.name?.text ?? 'default'] : []
  })
}

/** Every `name` and `name.member` in the code, not in its comments and texts. */
function mentionsIn({ source }: Module): Set<string> {
  const mentions = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) mentions.add(node.text)
    if (ts.isPropertyAccessExpression(node)) mentions.add(node.getText().replace(/\s|\?/g, ''))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return mentions
}

/** `import('a package')`: how a CommonJS file loads an ES module, or one that few runs need. */
function readLazyImports(source: ts.SourceFile, folder: string): Import[] {
  return callsThatImport(source).flatMap(({ arguments: [from], expression }) =>
    expression.kind === ts.SyntaxKind.ImportKeyword && from !== undefined && ts.isStringLiteral(from)
      ? [{ from: nameOf(from, folder), names: ['*'], isTypeOnly: false }]
      : [],
  )
}

/** Calls that import: what `import` statements are checked for must not come in another way. */
function callsThatImport(source: ts.SourceFile): ts.CallExpression[] {
  const calls: ts.CallExpression[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const callee = node.expression
      if (callee.kind === ts.SyntaxKind.ImportKeyword || callee.getText() === 'require') calls.push(node)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return calls
}

const modulesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => readModule(join(folder, path)))

const MODULES = modulesIn(SRC)
const TESTS = modulesIn(__dirname)
const NAMES = MODULES.map(module => module.name)

test('the table has a row for every file of src, and no other', () =>
  assert.deepEqual(Object.keys(MAY_IMPORT).sort(), [...new Set(NAMES.map(rowOf))].sort()))

describe('who imports whom', () => {
  for (const module of MODULES) {
    const { name, imports } = module
    const allowed = MAY_IMPORT[rowOf(name)] ?? []
    test(`${name} imports what the table allows`, () => {
      for (const { from, names, isTypeOnly } of imports) {
        const isOfSrc = NAMES.includes(from)
        if (isTypeOnly && (isOfSrc || from.startsWith('node:'))) continue
        const isAllowed =
          allowed.includes(from) ||
          allowed.includes(rowOf(from)) ||
          (isOfSrc && allowed.includes('src')) ||
          names.every(taken => allowed.includes(`${from}#${taken}`))
        assert.ok(isAllowed, `${name} imports ${names.join(', ')} from ${from}`)
      }
    })
    test(`${name} names all that it imports, and takes no environment by the back door`, () => {
      assert.equal(callsThatImport(module.source).length, readLazyImports(module.source, SRC).length)
      for (const { from } of imports) assert.doesNotMatch(from, /^(node:)?(process|console)$/)
      assert.ok(!mentionsIn(module).has('globalThis'))
    })
  }
  test('only the files that talk to S3 know the SDK', () => {
    const users = MODULES.filter(({ imports }) => imports.some(({ from }) => from.startsWith('@aws-sdk/')))
    assert.deepEqual(users.map(module => module.name).sort(), [...KNOW_THE_SDK].sort())
  })
  test('nothing imports main or demo', () => {
    for (const { name, imports } of [...MODULES, ...TESTS]) {
      for (const { from } of imports) assert.ok(!['main', 'demo'].includes(from), `${name} imports ${from}`)
    }
  })
})

for (const [what, where] of Object.entries(ONLY_IN)) {
  test(`only ${where.join(' and ')} may use ${what}`, () => {
    const users = MODULES.filter(module => mentionsIn(module).has(what)).map(module => module.name)
    assert.deepEqual(
      users.filter(name => !where.includes(name)),
      [],
    )
  })
}

test('process is not handed on or taken apart, so that nobody reaches its environment by another name', () => {
  for (const { name, source } of MODULES) {
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) && node.text === 'process') {
        const isMember = ts.isPropertyAccessExpression(node.parent) && node.parent.expression === node
        assert.ok(isMember, `${name} uses process as a value: ${node.parent.getText()}`)
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
})

test('only report writes: no other file calls write, but main for --help and --version', () => {
  const writers = MODULES.filter(module => [...mentionsIn(module)].some(mention => mention.endsWith('.write')))
  assert.deepEqual(writers.map(module => module.name).sort(), ['main', 'report'])
})

describe('length', () => {
  for (const { name, text } of MODULES) {
    const lines = text.split('\n').length - 1
    const most = name === 'main' ? 79 : 150
    test(`${name} has ${most} lines at most: ${lines}`, () => assert.ok(lines <= most))
  }
})

describe('no unused export', () => {
  for (const module of MODULES) {
    for (const exported of exportsOf(module)) {
      test(`${module.name} exports ${exported} to another file`, () => {
        const users = [...MODULES, ...TESTS].filter(({ imports }) =>
          imports.some(({ from, names }) => from === module.name && (names.includes(exported) || names.includes('*'))),
        )
        assert.ok(users.length > 0, `${exported} is used by no other file`)
      })
    }
  }
})
