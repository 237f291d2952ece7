// The time zone of the person, by its IANA name. The browser knows it; the server gets it in a cookie with the next page.

const cookie = 'time-zone'

export const browserTimeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

/** The time zone in the cookie; UTC if there is none that exists. */
export function readTimeZone(cookies: { get: (name: string) => { value: string } | undefined }): string {
  try {
    const name = decodeURIComponent(cookies.get(cookie)?.value ?? 'UTC')
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return 'UTC'
  }
}

export function rememberTimeZone() {
  document.cookie = `${cookie}=${encodeURIComponent(browserTimeZone())}; path=/; max-age=31536000; samesite=lax`
}
