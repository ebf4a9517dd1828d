/** Files that settings name: certificates and secrets. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { nameSystemError } from '../errors'
import { refuse } from './values'

/** The certificates in a PEM file, as its text. */
export function parsePemFile(name: string, path: string): string {
  const allowed = 'a file of certificates in PEM format (-----BEGIN CERTIFICATE-----)'
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw refuse(name, path, `${allowed} that this user may read: ${nameSystemError(cause)}`)
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? []
  try {
    for (const certificate of certificates) new X509Certificate(certificate)
  } catch {
    throw refuse(name, path, `${allowed}: one in this file cannot be read`)
  }
  if (certificates.length === 0) throw refuse(name, path, `${allowed}: this file holds none`)
  return certificates.join('\n')
}
