'use client'

import { useClock } from '@/lib/clock'
import { describeToday } from '@/lib/dates'
import type { Theme } from '@/lib/theme'
import { useNews } from '@/lib/use-news'
import { useRefusals } from '@/lib/use-refusals'

import { Connection } from './connection'
import { FilterBar } from './filter-bar'
import { QuickAdd } from './quick-add'
import { TaskDialog } from './task-dialog'
import { TaskList } from './task-list'
import { ToastProvider } from './toasts'
import { TopBar } from './top-bar'

/** The page of a person who is signed in. */
export function Board({ theme }: { theme: Theme }) {
  const clock = useClock()
  return (
    <ToastProvider>
      <TopBar theme={theme} />
      <main className="board">
        <div className="heading">
          <h1 tabIndex={-1}>Your tasks</h1>
          <p className="muted">{describeToday(clock)}</p>
        </div>
        <Connection />
        <QuickAdd />
        <FilterBar />
        <TaskList />
      </main>
      <TaskDialog />
      <Messages />
    </ToastProvider>
  )
}

/** Tells what happens without a doing of the person. */
function Messages() {
  useNews()
  useRefusals()
  return null
}
