import type { Metadata } from 'next'
import { cookies } from 'next/headers'
import { redirect } from 'next/navigation'

import { MyAccount } from '@/components/my-account'
import { readFilters } from '@/lib/filters'
import { limits } from '@/lib/limits'
import { PageProvider } from '@/lib/page-context'
import { signInPath } from '@/lib/paths'
import { getUser } from '@/lib/session'
import { taskwardUrl } from '@/lib/settings'
import { readTheme } from '@/lib/theme'
import { readTimeZone } from '@/lib/time-zone'

export const metadata: Metadata = { title: 'Your account' }

type Props = { searchParams: Promise<{ erased?: string }> }

export default async function Page({ searchParams }: Props) {
  const { erased } = await searchParams
  const user = await getUser()
  if (!user) redirect(signInPath('/account'))
  const jar = await cookies()
  return (
    <PageProvider
      key={user.id}
      taskwardUrl={taskwardUrl()}
      person={{ id: user.id, name: user.name }}
      first={{ filters: readFilters(new URLSearchParams()), tasks: [], hasMore: false }}
      serverClock={{ now: Date.now(), timeZone: readTimeZone(jar) }}
      limits={limits}
    >
      <MyAccount theme={readTheme(jar.get('theme')?.value)} email={user.email} erased={erased !== undefined} />
    </PageProvider>
  )
}
