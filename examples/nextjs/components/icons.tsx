// Drawn on a grid of 20 by 20 with one stroke width. Hidden from screen readers, which read the text beside them.

const shapes = {
  calendar: 'M4 5.5h12v11H4zM4 8.5h12M7 3.5v3M13 3.5v3',
  check: 'M5 10.5l3.5 3.5L15 6.5',
  close: 'M5.5 5.5l9 9M14.5 5.5l-9 9',
  cloud: 'M6 15.5a3.5 3.5 0 01-.4-7 4.5 4.5 0 018.7-.5 3.8 3.8 0 01-.3 7.5z',
  dark: 'M16 11.5A6.5 6.5 0 018.5 4a6.5 6.5 0 107.5 7.5z',
  details: 'M3.5 6.5h6M13.5 6.5h3M3.5 13.5h3M10.5 13.5h6M11.5 4.5v4M8.5 11.5v4',
  flag: 'M5 17V4h9.5l-2 3.5 2 3.5H5',
  light:
    'M10 6.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  pencil: 'M4.5 15.5l.7-3.2 7.6-7.6a1.4 1.4 0 012 0l.5.5a1.4 1.4 0 010 2l-7.6 7.6z',
  person: 'M10 4a3 3 0 100 6 3 3 0 000-6zM4 16.5a6 6 0 0112 0',
  plus: 'M10 4.5v11M4.5 10h11',
  search: 'M9 4a5 5 0 100 10A5 5 0 009 4zM12.7 12.7L16.5 16.5',
  system: 'M3.5 4.5h13v9h-13zM7.5 16.5h5M10 13.5v3',
  trash: 'M4 6h12M8 6V4h4v2M5.5 6l.7 10.5h7.6L14.5 6M8.5 9v4.5M11.5 9v4.5',
} as const

export function Icon({ name }: { name: keyof typeof shapes }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  )
}
