/** Certificates for servers of the tests. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTempFolder } from './temp-folder'

/** A key and a certificate that it signed itself, for `host` (`IP:127.0.0.1`, `DNS:localhost`). */
export function makeCertificate(host: string): { readonly key: string; readonly cert: string; readonly path: string } {
  const folder = makeTempFolder()
  const [key, path] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=lake', '-addext', `subjectAltName=${host}`]
  const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', [...options, '-keyout', key, '-out', path, ...subject], { stdio: 'pipe' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(path, 'utf8'), path }
}
