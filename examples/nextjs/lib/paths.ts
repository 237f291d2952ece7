// The paths to sign-in and back.

/** The sign-in page, which leads back to `from`. `ended`: there was a session, and it is over. */
export function signInPath(from: string, ended = false): string {
  const query = new URLSearchParams(ended ? { ended: '1' } : {})
  if (from !== '/') query.set('next', from)
  return `/sign-in${query.size ? `?${query}` : ''}`
}

/**
 * Where to go after sign-in: a path of this app, never another site, which a link could name. The result is judged, too:
 * the path of `/.//evil.example` is `//evil.example`, which a browser takes for a host.
 */
export function safeNext(next: unknown): string {
  const base = 'http://this.app'
  const inApp = (path: string) => {
    const url = path.startsWith('/') ? URL.parse(path, base) : null
    return url?.origin === base ? url.pathname + url.search : null
  }
  const path = typeof next === 'string' ? inApp(next) : null
  return path !== null && inApp(path) === path ? path : '/'
}
