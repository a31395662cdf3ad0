/** Return the share of Student's t, of whole degrees of freedom, between -reach and reach. */
export function studentShare(reach: number, degrees: number): number {
  const angle = Math.atan(reach / Math.sqrt(degrees));
  const square = Math.cos(angle) ** 2;
  const isOdd = degrees % 2 === 1;
  // The finite series of Abramowitz and Stegun, 26.7.3 and 26.7.4.
  let term = isOdd ? Math.cos(angle) : 1;
  let sum = 0;
  for (let at = isOdd ? 3 : 2; at <= degrees; at += 2) {
    sum += term;
    term *= (square * (at - 1)) / at;
  }
  const inner = Math.sin(angle) * sum;
  if (isOdd) return (2 / Math.PI) * (angle + inner);
  return inner;
}

/** Return how many standard deviations hold a share of the normal distribution on both sides. */
export function normalReach(share: number): number {
  let [low, high] = [0, 40];
  // Halved 60 times it is exact.
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return low;
}

/** Return the share of the normal distribution between -reach and reach. */
export function normalShare(reach: number): number {
  if (reach > 9) return 1;
  // The series of the error function, which has positive terms only.
  let term = reach;
  let sum = reach;
  for (let at = 3; term > sum * Number.EPSILON; at += 2) {
    term *= reach ** 2 / at;
    sum += term;
  }
  return Math.sqrt(2 / Math.PI) * Math.exp(-(reach ** 2) / 2) * sum;
}
