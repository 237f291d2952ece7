'use client'

import { authClient } from '@/lib/auth-client'
import { forgetDrafts } from '@/lib/drafts'

import { useToasts } from './toasts'

export function SignOutButton() {
  const { show } = useToasts()

  async function signOut() {
    const { error } = await authClient.signOut().catch((error: unknown) => ({ error }))
    if (error) return show({ text: 'You are still signed in.', error })
    forgetDrafts()
    // A new page: nothing of this person stays in memory.
    location.assign('/sign-in')
  }
  return (
    <button className="button quiet" onClick={signOut}>
      Sign out
    </button>
  )
}
