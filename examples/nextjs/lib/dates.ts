// Due dates in words. A date has no time zone; a time is shown in the clock's time zone.

export interface Clock {
  /** Milliseconds since 1970. */
  now: number
  /** An IANA name, `Europe/Vienna`. */
  timeZone: string
}

export interface Due {
  text: string
  overdue: boolean
  /** The heading above it in a list by due date. */
  group: string
}

const locale = 'en-GB'
const dayLength = 86_400_000

export function describeDue(due: string | null, clock: Clock): Due {
  if (due === null) return { text: '', overdue: false, group: 'No date' }
  const isTime = due.includes('T')
  const day = isTime ? dayOf(Date.parse(due), clock.timeZone) : Date.parse(due)
  const distance = Math.round((day - dayOf(clock.now, clock.timeZone)) / dayLength)
  const time = isTime ? ` ${format(Date.parse(due), { hour: '2-digit', minute: '2-digit' }, clock.timeZone)}` : ''
  const overdue = isTime ? Date.parse(due) < clock.now : distance < 0
  return { text: dayName(day, distance, clock) + time, overdue, group: groupOf(distance) }
}

/** Today's date, for a heading. */
export const describeToday = ({ now, timeZone }: Clock) =>
  format(now, { weekday: 'long', day: 'numeric', month: 'long' }, timeZone)

function dayName(day: number, distance: number, { now }: Clock): string {
  if (distance === -1) return 'Yesterday'
  if (distance === 0) return 'Today'
  if (distance === 1) return 'Tomorrow'
  if (distance > 1 && distance < 7) return format(day, { weekday: 'long' })
  const sameYear = new Date(day).getUTCFullYear() === new Date(now).getUTCFullYear()
  return format(day, { day: 'numeric', month: 'short', ...(!sameYear && { year: 'numeric' }) })
}

function groupOf(distance: number): string {
  if (distance < 0) return 'Earlier'
  if (distance === 0) return 'Today'
  if (distance === 1) return 'Tomorrow'
  return distance < 7 ? 'Next 7 days' : 'Later'
}

/** Midnight as if in UTC of the day on which an instant falls in a time zone. */
function dayOf(instant: number, timeZone: string): number {
  // The format of Canada is 2026-02-06.
  return Date.parse(new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(instant))
}

function format(instant: number, options: Intl.DateTimeFormatOptions, timeZone = 'UTC'): string {
  return new Intl.DateTimeFormat(locale, { ...options, timeZone }).format(instant)
}
