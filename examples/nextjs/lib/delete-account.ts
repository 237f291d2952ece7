'use client'

import { authClient } from './auth-client'

/** Why an account was not deleted: at the password, or below it. */
export interface DeletionFault {
  field?: string
  form?: string
  /** The session was over before. */
  isSignedOut?: boolean
}

const sentences: Record<string, DeletionFault> = {
  INVALID_PASSWORD: { field: 'The password is wrong.' },
  PASSWORD_TOO_LONG: { field: 'The password is wrong.' },
  TASKS_NOT_DELETED: {
    form: 'Your account was not deleted, because the server did not confirm the deletion of your tasks. Try again later.',
  },
  ACCOUNT_NOT_DELETED: {
    form: 'Your tasks are deleted, but your account is not: the sign-in service has a problem. Try again later.',
  },
}

/** Deletes the tasks of the person and then the account (`lib/auth.ts`). Gives nothing if both are gone. */
export async function deleteAccount(password: string): Promise<DeletionFault | undefined> {
  // Without one, Better Auth asks only for a session that is younger than a day.
  if (password === '') return { field: 'Enter your password.' }
  const { error } = await authClient.deleteUser({ password }).catch(() => ({ error: { status: 0 } as FailedAnswer }))
  if (!error) return undefined
  const known = sentences[error.code ?? '']
  if (known) return known
  if (error.status === 401) return { isSignedOut: true }
  if (error.status === 429) return { form: 'Nothing was deleted: there were too many attempts. Try again in a minute.' }
  return (await isGone()) ? undefined : { form: 'It is not certain that anything was deleted. Try again.' }
}

interface FailedAnswer {
  status: number
  code?: string
}

/** Whether nobody is signed in any more: then only the answer to the deletion was lost. */
async function isGone(): Promise<boolean> {
  const { data, error } = await authClient.getSession().catch((error: unknown) => ({ data: undefined, error }))
  return !error && data === null
}
