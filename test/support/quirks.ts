/** Stand-ins: a real server behind a proxy that answers as servers and middle boxes were reported to. */
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { type Kind, kindOf, passOn } from './faults'
import type { Fault, SeenRequest } from './proxy'
import { refuse, type TestServer } from './s3-server'

type Head = Pick<SeenRequest, 'method' | 'url' | 'headers'>
type Quirk = (server: TestServer) => void

/** Deals with the requests that `wanted` holds for as `fault` does, besides the quirks that the server has already. */
export function quirk(wanted: (head: Head) => boolean, fault: (server: TestServer) => Fault): Quirk {
  return server => {
    const { breakWith: others } = server
    const own = fault(server)
    server.breakWith = head => (wanted(head) ? own : others(head))
  }
}

export const isKind =
  (...kinds: readonly Kind[]) =>
  (head: Head): boolean =>
    kinds.includes(kindOf(head))

const keyOf = (url: string) => decodeURIComponent(new URL(url, 'http://proxy').pathname.split('/').slice(2).join('/'))

/** S3's answer to a completion. */
function answerCompletion(etag: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUploadResult><ETag>"${etag}"</ETag></CompleteMultipartUploadResult>`
}

/** fauxqs 1.9: a `<Part>` with a checksum is none, and the object has 0 bytes. Answers with `etag`. */
export const dropsPartsWithChecksums = (etag = 'd41d8cd98f00b204e9800998ecf8427e-0') =>
  quirk(isKind('CompleteMultipartUpload'), server => async ({ receive, forward, response }) => {
    const seen = await receive()
    if (seen === undefined) return
    const text = seen.body.toString()
    if (!text.includes('<ChecksumCRC32>')) {
      const { status, headers, body } = await forward(seen, seen.body)
      return void response.writeHead(status, headers).end(body)
    }
    await server.write(keyOf(seen.url), Buffer.alloc(0))
    response.writeHead(200, { 'content-type': 'application/xml' }).end(answerCompletion(etag))
  })

/** Swift, nginx: refuses at the headers and reads nothing of the body, on a connection that stays open. */
export const refusesUnread = (status: number, code: string, kinds: readonly Kind[], onRefusal = () => {}) =>
  quirk(isKind(...kinds), () => ({ incoming, response }) => {
    onRefusal()
    incoming.pause()
    const body = `<Error><Code>${code}</Code><Message>Refused.</Message></Error>`
    response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length })
    // Without an end: Node's server would read the rest of the body then.
    response.write(body)
  })

/** A page of HTML in place of S3's answer, with the header of the status if it has one. */
export const answersWithPage = (status: number, kinds: readonly Kind[] | 'all', headers: Record<string, string> = {}) =>
  quirk(kinds === 'all' ? () => true : isKind(...kinds), () => async ({ receive, response }) => {
    if ((await receive()) === undefined) return
    const page = `<html>\r\n<head><title>${status} Refused</title></head>\r\n<body>\r\n<center><h1>${status} Refused</h1><hr>nginx</center>\r\n</body>\r\n</html>\r\n`
    response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(page)
  })

/** S3's refusal of the requests that `wanted` holds for. */
export const refuses = (
  wanted: (head: Head) => boolean,
  status: number,
  code: string,
  message?: string,
  headers: Record<string, string> = {},
) =>
  quirk(wanted, () => async ({ receive, response }) => {
    if ((await receive()) !== undefined) refuse(response, status, code, headers, message)
  })

/** Which of S3's headers the request carries. */
export const carries =
  (header: string, ...kinds: readonly Kind[]) =>
  (head: Head): boolean =>
    head.headers[header] !== undefined && (kinds.length === 0 || isKind(...kinds)(head))

interface Page {
  readonly keys: readonly string[]
  readonly isTruncated: boolean
  readonly token?: string
}

/** A listing of pages that `page` makes of the keys and of the request's query. */
export const lists = (page: (keys: readonly string[], query: URLSearchParams) => Page) =>
  quirk(isKind('ListObjectsV2'), server => async ({ receive, response }) => {
    const seen = await receive()
    if (seen === undefined) return
    const objects = await server.objects()
    const { keys, isTruncated, token } = page([...objects.keys()].sort(), new URL(seen.url, 'http://x').searchParams)
    const contents = keys.map(key => {
      const { size = 0, etag = '' } = objects.get(key) ?? {}
      return `<Contents><Key>${key}</Key><Size>${size}</Size><ETag>${etag}</ETag></Contents>`
    })
    const next = token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`
    const xml = `<ListBucketResult>${contents.join('')}<IsTruncated>${isTruncated}</IsTruncated>${next}</ListBucketResult>`
    response.writeHead(200, { 'content-type': 'application/xml' }).end(xml)
  })

/**
 * MinIO with `--no-compat`: every ETag looks like an MD5 and is none. It compares Content-MD5 with what arrived, which
 * `damage` may have changed on its way.
 */
export function inventsEtags(damage: (body: Buffer) => Buffer = body => body): Quirk {
  const invented = new Map<string, string>()
  const invent = (etag: string) => {
    const known = invented.get(etag) ?? randomBytes(16).toString('hex') + etag.slice(32)
    invented.set(etag, known)
    return known
  }
  // The id of an upload looks the same, and stays as it is.
  const disguise = (text: string) => text.replace(/(?<=<ETag>(&quot;|&#34;|")?|^"?)[0-9a-f]{32}(-\d+)?\b/g, invent)
  const reveal = (text: string) => [...invented].reduce((rest, [real, shown]) => rest.replaceAll(shown, real), text)
  return quirk(
    () => true,
    () =>
      async ({ receive, forward, response }) => {
        const seen = await receive()
        if (seen === undefined) return
        const isContent = isKind('PutObject', 'UploadPart')(seen)
        const body = isContent ? damage(seen.body) : Buffer.from(reveal(seen.body.toString()))
        const md5 = seen.headers['content-md5']
        if (isContent && md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64')) {
          return refuse(response, 400, 'BadDigest')
        }
        const answer = await forward({ ...seen, headers: lengthen(seen.headers, body) }, body)
        const shown = Buffer.from(disguise(answer.body.toString()))
        const { etag } = answer.headers
        const headers = { ...lengthen(answer.headers, shown), ...(etag === undefined ? {} : { etag: disguise(etag) }) }
        response.writeHead(answer.status, headers).end(shown)
      },
  )
}

/** The headers, with the length of this body if they have one and the body is not empty. */
function lengthen(headers: IncomingHttpHeaders, body: Buffer): IncomingHttpHeaders {
  const isCounted = headers['content-length'] !== undefined && body.length > 0
  return isCounted ? { ...headers, 'content-length': String(body.length) } : headers
}

/**
 * Completes an upload after `ms` in which it says nothing, or sends white space. S3 does the latter, for minutes.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export const completesSlowly = (ms: number, { isSilent, end }: { isSilent: boolean; end?: string }) => {
  let times = 0
  return quirk(isKind('CompleteMultipartUpload'), () => async exchange => {
    const { response } = exchange
    times += 1
    if (times > 1 && end !== undefined) return await passOn(exchange)
    const seen = await exchange.receive()
    if (seen === undefined) return
    const steps = 20
    if (!isSilent)
      response.writeHead(200, { 'content-type': 'application/xml' }).write('<?xml version="1.0" encoding="UTF-8"?>\n')
    for (let step = 0; step < steps; step += 1) {
      await pause(ms / steps)
      if (!isSilent) response.write(' ')
    }
    if (end !== undefined) return void response.end(end)
    const { status, headers, body } = await exchange.forward(seen, seen.body)
    if (isSilent) return void response.writeHead(status, headers).end(body)
    response.end(body.toString().replace(/^<\?xml[^>]*>\s*/, ''))
  })
}
