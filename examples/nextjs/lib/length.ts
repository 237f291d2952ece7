/** From this share of the limit on, the length is shown. */
const shownFrom = 0.8

export interface Length {
  text: string
  tooLong: boolean
}

/** How much room a text has left, or by how much it is too long; undefined while there is plenty. */
export function lengthOf(text: string, limit: number): Length | undefined {
  const count = [...text.trim()].length // code points, as the server counts
  if (count > limit) return { text: `${characters(count - limit)} too many: at most ${limit}.`, tooLong: true }
  if (count < limit * shownFrom) return undefined
  return { text: `${characters(limit - count)} left.`, tooLong: false }
}

const characters = (count: number) => (count === 1 ? '1 character' : `${count} characters`)
