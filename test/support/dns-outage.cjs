/**
 * Loaded before the program (`node --require`): every name is 127.0.0.1, but for the first `DNS_OUTAGE` times that one
 * is asked for, when no name server answers or it knows no such name, in turns.
 */
const dns = require('node:dns')

let left = Number(process.env.DNS_OUTAGE)
const { lookup } = dns
dns.lookup = (name, options, callback) => {
  left -= 1
  if (left < 0) return lookup('127.0.0.1', options, callback)
  const code = left % 2 === 0 ? 'ENOTFOUND' : 'EAI_AGAIN'
  setImmediate(() =>
    callback(Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code, syscall: 'getaddrinfo' })),
  )
}
