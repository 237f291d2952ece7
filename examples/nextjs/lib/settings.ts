/**
 * Where Taskward is, for browsers and for this server alike: the keys of cached answers name it. It is read at run time and
 * handed to the browser by the page, so that one build serves every environment (NEXT_PUBLIC_… is fixed at build time).
 */
export const taskwardUrl = () => new URL(process.env.TASKWARD_URL ?? 'http://localhost:8000').origin
