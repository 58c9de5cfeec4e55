/** Connections by priority, the best first; those of one priority have their turns. */

interface Rank<T> {
  readonly priority: number;
  readonly members: T[];
  next: number;
}

export class Ranks<T extends { readonly ready: boolean }> {
  readonly #ranks: Rank<T>[] = [];

  add(member: T, priority: number): void {
    let i = 0;
    while (i < this.#ranks.length && (this.#ranks[i] as Rank<T>).priority < priority) i++;
    const rank = this.#ranks[i];
    if (rank?.priority === priority) rank.members.push(member);
    else this.#ranks.splice(i, 0, { priority, members: [member], next: 0 });
  }

  delete(member: T, priority: number): void {
    const i = this.#ranks.findIndex((rank) => rank.priority === priority);
    const { members } = this.#ranks[i] as Rank<T>;
    members.splice(members.indexOf(member), 1);
    if (members.length === 0) this.#ranks.splice(i, 1);
  }

  /** The next one that is ready, of the best priority in which one is. */
  turn(): T | undefined {
    const ranks = this.#ranks;
    for (let i = 0; i < ranks.length; i++) {
      const rank = ranks[i] as Rank<T>;
      const { members } = rank;
      const n = members.length;
      for (let k = 0; k < n; k++) {
        if (rank.next >= n) rank.next = 0;
        const member = members[rank.next++] as T;
        if (member.ready) return member;
      }
    }
    return undefined;
  }

  /** Every one, the best first, until `f` answers false. Of one priority each is the first in its turn. */
  each(f: (member: T) => boolean): void {
    for (const rank of [...this.#ranks]) {
      const members = [...rank.members];
      const first = rank.next++;
      for (let k = 0; k < members.length; k++) {
        if (!f(members[(first + k) % members.length] as T)) return;
      }
    }
  }
}
