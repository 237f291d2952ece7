import { cookies } from 'next/headers'
import { redirect } from 'next/navigation'

import { Board } from '@/components/board'
import { readFilters } from '@/lib/filters'
import { loadFirstPage } from '@/lib/first-page'
import { limits } from '@/lib/limits'
import { PageProvider } from '@/lib/page-context'
import { signInPath } from '@/lib/paths'
import { getTaskward, getUser } from '@/lib/session'
import { taskwardUrl } from '@/lib/settings'
import { readTheme } from '@/lib/theme'
import { readTimeZone } from '@/lib/time-zone'

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> }

export default async function Page({ searchParams }: Props) {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(await searchParams)) params.set(name, String(value ?? ''))

  const user = await getUser()
  if (!user) redirect(signInPath(params.size ? `/?${params}` : '/'))

  // The list is fetched here with the person's token and comes with the page. If that fails, the page comes without it,
  // and the browser tries again and says what is wrong.
  const timeZone = readTimeZone(await cookies())
  const first = await loadFirstPage(await getTaskward(), readFilters(params), timeZone)

  return (
    <PageProvider
      key={user.id}
      taskwardUrl={taskwardUrl()}
      person={{ id: user.id, name: user.name }}
      first={first}
      serverClock={{ now: Date.now(), timeZone }}
      limits={limits}
    >
      <Board theme={readTheme((await cookies()).get('theme')?.value)} />
    </PageProvider>
  )
}
