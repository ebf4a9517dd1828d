/** How objects are stored, besides their content. */
import type { CreateMultipartUploadCommandInput, PutObjectCommandInput } from '@aws-sdk/client-s3'

type Name =
  | 'StorageClass'
  | 'ServerSideEncryption'
  | 'SSEKMSKeyId'
  | 'BucketKeyEnabled'
  | 'ACL'
  | 'Tagging'
  | 'CacheControl'

/** Parameters of the two requests that make an object, by S3's own names: part of the input of both. */
export type ObjectOptions = Readonly<Pick<PutObjectCommandInput & CreateMultipartUploadCommandInput, Name>>
