/** `NO_PROXY` by the rules of curl: https://curl.se/docs/manpage.html#--noproxy */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readNoProxy } from '../../../src/s3/agents'

for (const [noProxy, direct, proxied] of [
  ['', [], ['localhost', 's3.example.com', '127.0.0.1']],
  ['*', ['localhost', '10.1.2.3', '::1'], []],
  ['example.com', ['example.com', 's3.example.com', 'S3.EXAMPLE.COM', 'a.b.example.com.'], ['myexample.com', 'com']],
  ['.example.com', ['example.com', 's3.example.com'], ['notexample.com']],
  ['localhost, minio\tlake', ['localhost', 'minio', 'x.lake'], ['minio2']],
  ['127.0.0.1', ['127.0.0.1'], ['127.0.0.2', 'localhost', '1.127.0.0.1.example']],
  ['10.0.0.0/8,192.168.1.0/24', ['10.255.0.1', '192.168.1.9'], ['11.0.0.1', '192.168.2.9']],
  ['[::1],fd00::/8', ['::1', '[fd12::1]'], ['fe80::1']],
  ['10.0.0.0/33,10.0.0.0/x,/,.', [], ['10.0.0.1', 'example.com', '']],
] as const) {
  const isDirect = readNoProxy(noProxy)
  for (const host of direct) test(`${host} is reached directly with ${noProxy}`, () => assert.ok(isDirect(host)))
  for (const host of proxied)
    test(`${host} is reached through the proxy with "${noProxy}"`, () => assert.ok(!isDirect(host)))
}

test('any text is taken, and hosts are told by it', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'10.:/*,[] abc') }))
  fc.assert(fc.property(text, text, (noProxy, host) => assert.equal(typeof readNoProxy(noProxy)(host), 'boolean')))
})
