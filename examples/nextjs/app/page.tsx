import { HydrationBoundary, QueryClient, dehydrate } from '@tanstack/react-query'
import { cookies } from 'next/headers'
import { redirect } from 'next/navigation'

import { Board } from '@/components/board'
import { readFilters } from '@/lib/filters'
import { limits } from '@/lib/limits'
import { PageProvider } from '@/lib/page-context'
import { signInPath } from '@/lib/paths'
import { taskList } from '@/lib/queries'
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
  const queries = new QueryClient()
  const timeZone = readTimeZone(await cookies())
  const list = taskList(await getTaskward(), readFilters(params), timeZone)
  await queries.prefetchInfiniteQuery({ ...list, retry: false })

  return (
    <PageProvider
      key={user.id}
      taskwardUrl={taskwardUrl()}
      person={{ id: user.id, name: user.name }}
      serverClock={{ now: Date.now(), timeZone }}
      limits={limits}
    >
      <HydrationBoundary state={dehydrate(queries)}>
        <Board theme={readTheme((await cookies()).get('theme')?.value)} />
      </HydrationBoundary>
    </PageProvider>
  )
}
