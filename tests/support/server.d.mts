// The types of what the TypeScript tests in openapi/client use of server.mjs.

export interface Server {
  url: string
  port: number
  /** A token of development mode, by `taskward token`. */
  token(user: string, ...options: string[]): Promise<string>
  stop(): Promise<void>
}

export function freePort(): Promise<number>
export function startTaskward(settings?: Record<string, string>): Promise<Server>
