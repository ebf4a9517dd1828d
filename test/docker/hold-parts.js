/** In front of the tests' server: takes every part of a multipart upload and never answers it, and says what is asked. */
const { createServer, request } = require('node:http')

createServer((incoming, response) => {
  const { method, url, headers } = incoming
  process.stdout.write(`${method} ${url}\n`)
  if (url.includes('partNumber=')) return incoming.resume()
  // The server behind knows no AbortMultipartUpload.
  if (method === 'DELETE') return response.writeHead(204).end()
  const onwards = request({ host: 's3', port: 4568, method, path: url, headers }, answer => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
  })
  return incoming.pipe(onwards)
}).listen(4569)
