/**
 * The URL of Taskward for browsers. The server reads it at run time and passes it to the
 * browser with the page, so one build works in every environment (NEXT_PUBLIC_… variables are fixed at build time).
 */
export const taskwardUrl = () => new URL(process.env.TASKWARD_URL ?? 'http://localhost:8000').origin

/** The URL of Taskward for this server, where it is another one than for browsers: in a network of containers. */
export const taskwardInternalUrl = () => new URL(process.env.TASKWARD_INTERNAL_URL || taskwardUrl()).origin

/** The public URL of this app. It is also the issuer of the tokens. */
export const appUrl = () => process.env.BETTER_AUTH_URL ?? 'http://localhost:3000'

/** The names of the local machine. `next start` and `next dev` print one of them, and people open either. */
const loopback = ['localhost', '127.0.0.1']

/** The origins from which people may sign in: the one of `appUrl`, and on a local machine all of its names. */
export function appOrigins(): string[] {
  const url = new URL(appUrl())
  if (!loopback.includes(url.hostname)) return [url.origin]
  return loopback.map((hostname) => Object.assign(new URL(url), { hostname }).origin)
}

/** The header in which the proxy says who the client is, replacing what the client sent (like `cf-connecting-ip`). */
export const clientIpHeaders = () => (process.env.CLIENT_IP_HEADER ? [process.env.CLIENT_IP_HEADER] : [])
