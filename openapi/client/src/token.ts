// Tokens in a client: cached until they expire, and read without verification.

/** The claims (RFC 7519) of a token that a client can make use of. Times are seconds since 1970. */
export interface Claims {
  sub?: string
  iat?: number
  exp?: number
}

/** The claims of a token, unverified: when to renew it, and whose it is. Undefined if it is not a JWT. */
export function readClaims(token: string): Claims | undefined {
  try {
    const base64 = (token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/')
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof claims === 'object' && claims !== null ? claims : undefined
  } catch {
    return undefined
  }
}

export interface RememberedToken {
  (request?: { forceRefresh: boolean }): Promise<string | undefined>
  /** The next call gets a new one: for after sign-in and sign-out. */
  forget(): void
}

/**
 * A token function that calls `get` only when it must: for the first token, shortly before one expires (`earlySeconds`,
 * 30 by default, but not in the first half of its life), and when the server has refused one. Concurrent calls share one
 * call of `get`. An absent token (nobody is signed in) and a failure are not remembered.
 *
 * The local clock only measures how long a token has lived, so it need not be right.
 */
export function rememberToken(
  get: () => Promise<string | null | undefined>,
  { earlySeconds = 30 }: { earlySeconds?: number } = {},
): RememberedToken {
  let known: Promise<string | undefined> | undefined
  let until = Infinity

  const token = ({ forceRefresh } = { forceRefresh: false }) => {
    if (known === undefined || forceRefresh || Date.now() >= until) {
      until = Infinity // until the token is there and says how long it lives
      known = ask()
    }
    return known
  }
  token.forget = () => {
    known = undefined
  }
  return token

  function ask(): Promise<string | undefined> {
    const asked = Date.now()
    const asking = get().then(
      (value) => {
        const { iat, exp } = (value && readClaims(value)) || {}
        if (known === asking && typeof iat === 'number' && typeof exp === 'number') {
          until = asked + Math.max(exp - iat - earlySeconds, (exp - iat) / 2) * 1000
        }
        if (!value && known === asking) known = undefined
        return value ?? undefined
      },
      (error: unknown) => {
        if (known === asking) known = undefined
        throw error
      },
    )
    return asking
  }
}
