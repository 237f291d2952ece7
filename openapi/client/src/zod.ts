// Schemas of all requests and answers for zod, generated.

export * from './generated/zod.gen.js'
