'use client'

// When an account is deleted, all windows of the person in this browser forget everything and go to sign-in. Otherwise
// one of them could go on adding tasks until its token expires, and nobody could ever sign in to them. Another browser
// cannot be told: its list is empty at once, and it goes to sign-in when its token expires.

import { forgetDrafts } from './drafts'

const channelOf = (person: string) => new BroadcastChannel(`account-deleted/${person}`)

/** Tells the windows of this browser. */
export function tellAccountDeleted(person: string) {
  const channel = channelOf(person)
  channel.postMessage(null)
  channel.close()
}

/** Calls `run` when a window tells it. Returns how to stop. */
export function onAccountDeleted(person: string, run: () => void): () => void {
  const channel = channelOf(person)
  channel.onmessage = run
  return () => channel.close()
}

/** Forgets what this window has of the person. */
export function leaveForGood({ forget }: { forget: () => void }) {
  forgetDrafts()
  forget()
  location.assign('/sign-in?deleted=1')
}
