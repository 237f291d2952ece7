import type { Metadata } from 'next'
import { redirect } from 'next/navigation'

import { AccountPage } from '@/components/account-page'
import { safeNext } from '@/lib/paths'
import { getUser } from '@/lib/session'

export const metadata: Metadata = { title: 'Create an account' }

type Props = { searchParams: Promise<{ next?: string | string[] }> }

export default async function SignUp({ searchParams }: Props) {
  const next = safeNext((await searchParams).next)
  if (await getUser()) redirect(next)
  return <AccountPage kind="sign-up" next={next} />
}
