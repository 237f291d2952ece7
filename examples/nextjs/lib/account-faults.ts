// What Better Auth refuses, in plain sentences: at a field of the form, or below all of them.

export interface AccountError {
  code?: string | undefined
  message?: string | undefined
}

export type AccountFaults = Partial<Record<'name' | 'email' | 'password' | 'form', string>>

const sentences: Record<string, AccountFaults> = {
  INVALID_EMAIL: { email: 'Enter an e-mail address, such as ada@example.com.' },
  INVALID_EMAIL_OR_PASSWORD: { form: 'The e-mail address or the password is wrong.' },
  PASSWORD_TOO_SHORT: { password: 'The password is too short: it needs at least 8 characters.' },
  PASSWORD_TOO_LONG: { password: 'The password is too long: it may have at most 128 characters.' },
  USER_ALREADY_EXISTS: { email: 'This e-mail address already has an account. Sign in instead.' },
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: { email: 'This e-mail address already has an account. Sign in instead.' },
  INVALID_ORIGIN: { form: 'This app was opened at an address that it does not know. Open it at its usual address.' },
}

/** For a body that does not fit the schema. The message is a list of `[body.email] Invalid email address`. */
const ofFields: Required<Omit<AccountFaults, 'form'>> = {
  name: 'Enter a name.',
  email: 'Enter an e-mail address, such as ada@example.com.',
  password: 'Enter a password.',
}

export function accountFaults({ code, message = '' }: AccountError): AccountFaults {
  const known = code === undefined ? undefined : sentences[code]
  if (known) return known
  const fields = [...message.matchAll(/\[body\.(name|email|password)\]/g)].map(([, field]) => field as keyof typeof ofFields)
  if (fields.length > 0) return Object.fromEntries(fields.map((field) => [field, ofFields[field]]))
  return { form: message || 'There was no answer. Check your connection and try again.' }
}
