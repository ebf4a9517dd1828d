/** The SDK's own way to upload files: `Upload` of a stream, with its defaults. */
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'

async function main(): Promise<void> {
  const [folder = ''] = process.argv.slice(2)
  const client = new S3Client({ forcePathStyle: true })
  const names = readdirSync(folder).values()
  const work = async () => {
    for (const Key of names) {
      const params = { Bucket: 'bench', Key: `lib-storage/${Key}`, Body: createReadStream(join(folder, Key)) }
      await new Upload({ client, params }).done()
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
}

void main()
