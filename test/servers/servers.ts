/**
 * The real servers: who may use them, and what each lacks of S3. A test that needs more than a server has expects the
 * lack to show, so that an entry that is no longer true fails.
 */

export interface User {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What of S3 a server may lack, as the tests see it. */
type Lack =
  /** The answer to CompleteMultipartUpload has an empty ETag. */
  | 'ETag of a completed upload'
  /** CompleteMultipartUpload ignores `If-None-Match`. */
  | 'condition on completion'
  /** A key that the server does not know gets the answer for a wrong secret. */
  | 'name of an unknown key'

interface Server {
  /** Whose the tests' buckets are. */
  readonly user: User
  /** Somebody else, without rights to their buckets. */
  readonly other: User
  readonly lacks: readonly Lack[]
}

const CEPH_USERS = {
  user: { accessKeyId: 'AKIAALICEALICEALICE0', secretAccessKey: 's3cr+t/al$ice=#key000000000000000000000000' },
  other: { accessKeyId: 'AKIABOBBOBBOBBOBBOB0', secretAccessKey: 's3cr+t/bob=key000000000000000000000000000' },
}

export const REAL_SERVERS: Readonly<Record<'ceph-16' | 'ceph-20' | 'swift' | 'fauxqs', Server>> = {
  'ceph-16': {
    ...CEPH_USERS,
    lacks: ['ETag of a completed upload', 'condition on completion'],
  },
  'ceph-20': { ...CEPH_USERS, lacks: [] },
  swift: {
    user: { accessKeyId: 'test:tester', secretAccessKey: 'testing' },
    other: { accessKeyId: 'test:guest', secretAccessKey: 'visiting' },
    lacks: ['name of an unknown key'],
  },
  fauxqs: {
    user: { accessKeyId: 'test', secretAccessKey: 'tests' },
    other: { accessKeyId: 'other', secretAccessKey: 'others' },
    lacks: [],
  },
}
