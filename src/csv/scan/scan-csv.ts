import { listCsvFaults } from './findings'
import type { CsvEncoding, CsvShape } from './shape'
import { sniffBinary } from './sniff-binary'
import { sniffDialect } from './sniff-dialect'
import { sniffEncoding } from './sniff-encoding'
import { TextScan } from './text'
import { Utf8Check } from './utf8'

export type { CsvFault, CsvShape } from './shape'

/** Learns the shape of a CSV file while its bytes pass by, in constant memory whatever the file. */
interface CsvScanner {
  /** Reads on. Pieces may have any size, and are not kept: the caller may reuse the buffer at once. */
  update(chunk: Uint8Array): void
  /** Ends the file. Call it once, after the last `update`. */
  end(): CsvShape
}

/** Encoding, delimiter and header are guessed by this much of the beginning. */
const SAMPLE_BYTES = 64 * 1024

/** Makes a scanner for one file. It never throws, whatever the bytes are. */
export function createCsvScanner(): CsvScanner {
  let sample = Buffer.alloc(0)
  let reader: CsvScanner | undefined

  return {
    update(chunk) {
      if (reader !== undefined) return reader.update(chunk)
      sample = Buffer.concat([sample, chunk])
      if (sample.length < SAMPLE_BYTES) return
      reader = startReader(sample.subarray(0, SAMPLE_BYTES), false)
      if (sample.length > SAMPLE_BYTES) reader.update(sample.subarray(SAMPLE_BYTES))
    },
    end() {
      reader ??= startReader(sample, true)
      return reader.end()
    },
  }
}

/** Makes what reads the file, now that its beginning is known: `whole` if that is all there is. */
function startReader(sample: Uint8Array, whole: boolean): CsvScanner {
  const binary = sniffBinary(sample)
  return binary === undefined ? startTextReader(sample, whole) : refuseBinary(binary)
}

function refuseBinary(kind: string): CsvScanner {
  const faults = [{ code: 'binary', message: `Not CSV at all: this is ${kind}.` }] as const
  return {
    update() {},
    end: () => ({
      encoding: 'utf-8',
      delimiter: ',',
      lineEnd: 'none',
      header: false,
      columns: 0,
      rows: 0,
      faults,
    }),
  }
}

function startTextReader(sample: Uint8Array, whole: boolean): CsvScanner {
  const { encoding, markBytes } = sniffEncoding(sample)
  const decode = createDecoder(encoding)
  const head = decode(sample.subarray(markBytes))
  const isUtf8 = new Utf8Check().check(head) === undefined
  const begin = Buffer.from(head.buffer, head.byteOffset, head.length).toString(isUtf8 ? 'utf8' : 'latin1')
  const dialect = sniffDialect(begin, whole)
  const text = new TextScan(dialect.delimiter, encoding === 'utf-8' || encoding === 'utf-8-bom', markBytes)
  text.scan(head)

  return {
    update: chunk => text.scan(decode(chunk)),
    end() {
      text.scan(decode())
      const found = text.end()
      const [lineEnd = 'none', another] = found.lineEnds
      return {
        encoding: found.invalidUtf8 === undefined ? encoding : 'windows-1252',
        delimiter: dialect.delimiter,
        lineEnd: another === undefined ? lineEnd : 'mixed',
        header: dialect.header,
        columns: found.columns,
        rows: found.rows,
        faults: listCsvFaults(found, dialect),
      }
    },
  }
}

/**
 * A function that makes text whose ASCII is single bytes of the next piece of a file; without a piece, of what is
 * left of the one before. UTF-8, and what turns out to be Windows-1252, is such text already.
 */
function createDecoder(encoding: CsvEncoding): (chunk?: Uint8Array) => Uint8Array {
  if (encoding !== 'utf-16le' && encoding !== 'utf-16be') return (chunk = new Uint8Array(0)) => chunk
  const decoder = new TextDecoder(encoding, { ignoreBOM: true })
  return chunk => Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }), 'utf8')
}
