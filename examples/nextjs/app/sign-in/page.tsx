import type { Metadata } from 'next'
import { redirect } from 'next/navigation'

import { AccountPage } from '@/components/account-page'
import { safeNext } from '@/lib/paths'
import { getUser } from '@/lib/session'

export const metadata: Metadata = { title: 'Sign in' }

type Props = { searchParams: Promise<{ next?: string | string[]; ended?: string; deleted?: string }> }

export default async function SignIn({ searchParams }: Props) {
  const { next, ended, deleted } = await searchParams
  const path = safeNext(next)
  // `ended` means that Taskward refused the token of this session: redirecting back would lead here again.
  if (!ended && (await getUser())) redirect(path)
  return <AccountPage kind="sign-in" next={path} ended={ended !== undefined} deleted={deleted !== undefined} />
}
