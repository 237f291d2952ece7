// The paths to sign-in and back.

/** The sign-in page, which leads back to `from`. `ended`: there was a session, and it is over. */
export function signInPath(from: string, ended = false): string {
  const query = new URLSearchParams(ended ? { ended: '1' } : {})
  if (from !== '/') query.set('next', from)
  return `/sign-in${query.size ? `?${query}` : ''}`
}

/** Where to go after sign-in: a path of this app, never another site, which a link could name. */
export function safeNext(next: unknown): string {
  const base = 'http://this.app'
  const url = typeof next === 'string' && next.startsWith('/') ? URL.parse(next, base) : null
  return url?.origin === base ? url.pathname + url.search : '/'
}
