// The client of Taskward: see README.md.

export { createTaskwardClient, ifMatch } from './client.js'
export type { Answer, ListOptions, Operations, TaskwardClient, TaskwardClientOptions, UpdateOptions } from './client.js'
export { TaskwardError, TaskwardNetworkError } from './errors.js'
export type { ClientCode, ProblemCode } from './errors.js'
export { readClaims, rememberToken } from './token.js'
export type { Claims, RememberedToken } from './token.js'
export type { RetryOptions, TokenSource } from './transport.js'
export type * from './generated/types.gen.js'
