// What the tests share: Taskward, a fetch that records, and a proxy that cuts connections.

import { once } from 'node:events'
import net from 'node:net'

import { startTaskward as start } from '../../../tests/support/server.mjs'

export { type Server, freePort } from '../../../tests/support/server.mjs'

/** Starts Taskward without a rate limit, unless the settings name one, and waits until it is ready. */
export const startTaskward = (settings: Record<string, string> = {}) => start({ RATE_LIMIT: 'off', ...settings })

/** A request as it was sent, and the status of its answer (undefined if there was none). */
export interface Sent {
  method: string
  url: URL
  headers: Headers
  at: number
  status: number | undefined
}

/** A fetch that notes what is sent. `before` may give an answer instead of the server, or throw. */
export function recordingFetch(before?: (request: Request, count: number) => Response | undefined) {
  const sent: Sent[] = []
  const recording = (async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init)
    const { method, headers } = request
    const entry: Sent = { method, url: new URL(request.url), headers, at: Date.now(), status: undefined }
    sent.push(entry)
    const response = before?.(request, sent.length) ?? (await fetch(request))
    entry.status = response.status
    return response
  }) as typeof fetch
  return { sent, fetch: recording }
}

/**
 * A TCP proxy in front of the server. While `cuts` is above zero, a connection is cut when the server has answered
 * and before the client has got a byte of it (`kept` bytes, if that is set: in the middle of the answer).
 */
export async function startProxy(target: number) {
  const proxy = { url: '', cuts: 0, cut: 0, kept: 0, offline, stop }
  let isOffline = false
  const sockets = new Set<net.Socket>()
  const server = net.createServer((client) => {
    if (isOffline) return client.resetAndDestroy()
    const upstream = net.connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => {})
    }
    client.on('data', (bytes) => upstream.write(bytes))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    upstream.on('data', (bytes) => {
      if (proxy.cuts > 0) {
        proxy.cuts -= 1
        proxy.cut += 1
        if (proxy.kept > 0) client.end(bytes.subarray(0, proxy.kept))
        else client.resetAndDestroy()
      } else {
        client.write(bytes)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`
  return proxy

  /** Cuts all connections, and further ones at once, until it is told otherwise. */
  function offline(on: boolean) {
    isOffline = on
    if (on) for (const socket of sockets) socket.resetAndDestroy()
  }

  async function stop() {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
}
