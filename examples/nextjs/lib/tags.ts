// Tags as people type them: separated by commas, and often with the "#" with which the page shows them.

/** The tags in a typed text. */
export function readTags(text: string): string[] {
  const tags = text.split(/[,，]/).map((tag) => tag.trim().replace(/^#+\s*/, ''))
  return tags.filter((tag) => tag !== '')
}

/** `tags` and then `more`, and those of `more` that were there already. Like the server, ignores case. */
export function mergeTags(tags: string[], more: string[]): { tags: string[]; repeated: string[] } {
  const known = new Set(tags.map(fold))
  const merged = [...tags]
  const repeated: string[] = []
  for (const tag of more) {
    const folded = fold(tag)
    if (known.has(folded)) repeated.push(tag)
    else merged.push(tag)
    known.add(folded)
  }
  return { tags: merged, repeated }
}

/** For comparing. Lower case keeps two pairs apart that the server folds together. */
export function fold(tag: string): string {
  return tag.normalize('NFC').toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ')
}
