'use client'

// Short messages at the edge of the screen, read out by screen readers, perhaps with something to do about them.

import { type ReactNode, createContext, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react'

import { Icon } from './icons'

interface Toast {
  text: string
  failure?: boolean
  action?: { label: string; run: () => void }
}

const Toasts = createContext<{ show: (toast: Toast) => void } | undefined>(undefined)

export function useToasts() {
  const toasts = useContext(Toasts)
  if (!toasts) throw new Error('useToasts is for what is inside a ToastProvider')
  return toasts
}

/** How long one stays, in milliseconds. It stays longer under the pointer or with the focus. */
const lifetime = 8000

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<(Toast & { key: number })[]>([])
  const count = useRef(0)
  const show = useCallback((toast: Toast) => {
    count.current += 1
    const key = count.current
    // One that says nothing to act on has been read when the next one comes.
    setToasts((others) => [...others.filter((other) => other.action || other.failure).slice(-2), { ...toast, key }])
  }, [])
  const value = useMemo(() => ({ show }), [show])
  return (
    <Toasts value={value}>
      {children}
      <section className="toasts" aria-label="Messages" aria-live="polite">
        {toasts.map(({ key, ...toast }) => (
          <ToastCard key={key} {...toast} close={() => setToasts((all) => all.filter((other) => other.key !== key))} />
        ))}
      </section>
    </Toasts>
  )
}

function ToastCard({ text, failure, action, close }: Toast & { close: () => void }) {
  const [held, setHeld] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const closing = useRef(close)
  useEffect(() => {
    closing.current = close
  })
  useEffect(() => {
    // Whoever deleted with the keyboard has lost the place of the focus: undoing is what comes next, if anything.
    if (action && document.activeElement === document.body) button.current?.focus()
  }, [action])
  useEffect(() => {
    if (held) return
    const timer = setTimeout(() => closing.current(), lifetime)
    return () => clearTimeout(timer)
  }, [held])

  return (
    <div
      className={failure ? 'toast failure' : 'toast'}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={(event) => setHeld(event.target.matches(':focus-visible'))}
      onBlur={() => setHeld(false)}
    >
      <p>{text}</p>
      {action && (
        <button
          ref={button}
          className="button quiet"
          onClick={() => {
            action.run()
            close()
          }}
        >
          {action.label}
        </button>
      )}
      <button className="button quiet round" aria-label="Dismiss" onClick={close}>
        <Icon name="close" />
      </button>
    </div>
  )
}
