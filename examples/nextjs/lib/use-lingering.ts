'use client'

import { type RefObject, useEffect, useRef } from 'react'

import { useRefresh } from './changes'
import { usePage } from './page-context'

const checkInterval = 500

/**
 * Gives a function that keeps a task in the list, although it no longer belongs there, for some seconds and until the
 * pointer has left the list and the keyboard focus the task.
 */
export function useLingering(list: RefObject<HTMLElement | null>): (id: number) => void {
  const { lingering } = usePage()
  const refresh = useRefresh()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])

  function check() {
    // Phones leave :hover on what was tapped last.
    const pointed = matchMedia('(hover: hover)').matches && list.current?.matches(':hover')
    const focused = (id: number) => list.current?.querySelector(`[data-task="${id}"] :focus-visible`)
    if (lingering.release((id) => Boolean(pointed || focused(id)))) refresh()
    if (!lingering.isEmpty) timer.current = setTimeout(check, checkInterval)
  }
  return (id) => {
    lingering.add(id)
    clearTimeout(timer.current)
    timer.current = setTimeout(check, checkInterval)
  }
}
