// Keeps the chosen name for the next tab. It is a convenience, not a proof of who is there.
export default function ({ data }) {
  const year = 365 * 24 * 3600;
  document.cookie =
    `${data.cookie}=${encodeURIComponent(data.name)}; path=/; max-age=${year}; SameSite=Strict`;
}
