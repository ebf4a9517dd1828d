/** Promises whose end a test decides, so that no test waits for time to pass. */

export interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(reason: unknown): void
}

export function defer<Value>(): Deferred<Value> {
  let resolve: Deferred<Value>['resolve'] = () => undefined
  let reject: Deferred<Value>['reject'] = () => undefined
  const promise = new Promise<Value>((fulfil, refuse) => {
    resolve = fulfil
    reject = refuse
  })
  return { promise, resolve, reject }
}

/** Once everything that waits for no more than settled promises has happened. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
