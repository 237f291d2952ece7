'use client'

import { authClient } from '@/lib/auth-client'
import { forgetDrafts } from '@/lib/drafts'
import { usePage } from '@/lib/page-context'

import { useToasts } from './toasts'

export function SignOutButton() {
  const { hasUnsent, forget } = usePage()
  const { show } = useToasts()

  function ask() {
    if (!hasUnsent()) return signOut()
    const text = 'Some changes have not been sent. They would be lost.'
    show({ text, action: { label: 'Sign out all the same', run: signOut } })
  }

  async function signOut() {
    const { error } = await authClient.signOut().catch((error: unknown) => ({ error }))
    if (error) return show({ text: 'You are still signed in.', error })
    forgetDrafts()
    forget()
    // A new page: nothing of this person stays in memory.
    location.assign('/sign-in')
  }
  return (
    <button className="button quiet" onClick={ask}>
      Sign out
    </button>
  )
}
