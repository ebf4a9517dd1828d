/** What Biome's rules cannot say of the imports: no unused export, and who may touch the process. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import ts from 'typescript'
import { ROOT } from '../support/program'

const SRC = join(ROOT, 'src')

/** What only these files may touch. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  'process.argv': ['config/environment'],
  'process.stdout': ['main'],
  'process.stderr': ['main'],
  'process.exitCode': ['main'],
  'process.exit': ['stop-signal', 'main'],
}

interface Import {
  readonly from: string
  /** The exports that are taken; `*` for all of them. */
  readonly names: readonly string[]
}

interface Module {
  readonly name: string
  readonly source: ts.SourceFile
  readonly imports: readonly Import[]
}

function readModule(path: string): Module {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  const folder = dirname(path)
  const imports = [
    ...source.statements.flatMap(statement => readImport(statement, folder)),
    ...readLazyImports(source, folder),
  ]
  return { name: nameFile(path), source, imports }
}

function readImport(statement: ts.Statement, folder: string): Import[] {
  if (ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined) {
    const names = listed(statement).map(element => (element.propertyName ?? element.name).text)
    return [{ from: nameOf(statement.moduleSpecifier, folder), names }]
  }
  if (!ts.isImportDeclaration(statement)) return []
  const from = nameOf(statement.moduleSpecifier, folder)
  const bindings = statement.importClause?.namedBindings
  if (bindings === undefined || ts.isNamespaceImport(bindings)) return [{ from, names: ['*'] }]
  return [{ from, names: bindings.elements.map(element => (element.propertyName ?? element.name).text) }]
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

/** `import('a package')` or `require('a package')`: how a file loads an ES module, or one that few runs need. */
function readLazyImports(source: ts.SourceFile, folder: string): Import[] {
  return callsThatImport(source).flatMap(({ arguments: [from], expression }) =>
    (expression.kind === ts.SyntaxKind.ImportKeyword || expression.getText() === 'require') &&
    from !== undefined &&
    ts.isStringLiteral(from)
      ? [{ from: nameOf(from, folder), names: ['*'] }]
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
const OTHERS = ['test', 'bench', 'scripts'].flatMap(folder => modulesIn(join(ROOT, folder)))

for (const module of MODULES) {
  test(`${module.name} names all that it imports, and takes no environment by the back door`, () => {
    assert.equal(callsThatImport(module.source).length, readLazyImports(module.source, SRC).length)
    for (const { from } of module.imports) assert.doesNotMatch(from, /^(node:)?(process|console)$/)
    assert.ok(!mentionsIn(module).has('globalThis'))
  })
}

test('config and report know csv, s3 and upload by their types only', () => {
  for (const { name, source } of MODULES) {
    if (!/^(config|report)\//.test(name)) continue
    for (const line of source.text.match(/^import .* from '\.\.\/(csv|s3|upload)\/.*'$/gm) ?? []) {
      assert.match(line, /^import type /, `${name}: ${line}`)
    }
  }
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
  assert.deepEqual(writers.map(module => module.name).sort(), ['main', 'report/create-report'])
})

describe('no unused export', () => {
  for (const module of MODULES) {
    for (const exported of exportsOf(module)) {
      test(`${module.name} exports ${exported} to another file`, () => {
        const users = [...MODULES, ...OTHERS].filter(({ imports }) =>
          imports.some(({ from, names }) => from === module.name && (names.includes(exported) || names.includes('*'))),
        )
        assert.ok(users.length > 0, `${exported} is used by no other file`)
      })
    }
  }
})
