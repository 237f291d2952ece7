// Options for TanStack Query, generated: give each one the `client` of a TaskwardClient.

export * from './generated/@tanstack/react-query.gen.js'
