/** Servers on ports of this machine that end with the test. */
import { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { after } from 'node:test'

/** Starts `server` on a free port of 127.0.0.1, which it gives. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    if (server instanceof HttpServer || server instanceof HttpsServer) server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
