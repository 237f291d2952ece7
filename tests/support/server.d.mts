// The types of what the TypeScript tests in openapi/client use of server.mjs.

export interface Server {
  url: string
  port: number
  /** A token of development mode, by `taskward token`. */
  token(user: string, ...options: string[]): Promise<string>
  /** Ends it at once, with SIGKILL. */
  kill(): Promise<void>
  /** Starts it again after `kill`, at the same address and with the same database. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export function freePort(): Promise<number>
export function startTaskward(settings?: Record<string, string>): Promise<Server>
