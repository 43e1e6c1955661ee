/* What a device keeps until it is sent: sealed marks and the sealed pass of its seat, in IndexedDB; nothing readable. */

const NAME = "safer-places";
const MARKS = "marks"; // order (key), id, workshop, seat, sealed, state: "waiting" or "refused", code of the refusal
const SEATS = "seats"; // workshop (key), seat, publicKey, closesAt

function settle(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    const marks = request.result.createObjectStore(MARKS, { keyPath: "order", autoIncrement: true });
    marks.createIndex("id", "id", { unique: true });
    request.result.createObjectStore(SEATS, { keyPath: "workshop" });
  };
  return settle(request);
}

export class Kept {
  constructor() {
    this.opened = null;
  }

  /* Run one transaction; it is on the disk when this returns, so that a flat battery loses nothing that was shown as kept. */
  async write(names, work) {
    this.opened = this.opened || open();
    const database = await this.opened;
    const transaction = database.transaction(names, "readwrite", { durability: "strict" });
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
      transaction.onerror = () => reject(transaction.error);
    });
    const result = work((name) => transaction.objectStore(name));
    await done;
    return result;
  }

  async read(name, work) {
    this.opened = this.opened || open();
    return settle(work((await this.opened).transaction(name).objectStore(name)));
  }

  /* Keep a sealed mark; one that it stands for, refused before, goes in the same step. */
  add(mark, replaced) {
    return this.write([MARKS], (of) => {
      of(MARKS).add(mark);
      if (replaced) this.drop(of(MARKS), (one) => one.id === replaced);
    });
  }

  marks() {
    return this.read(MARKS, (store) => store.getAll()); // in the order they were made
  }

  refuse(ids, codes) {
    return this.write([MARKS], (of) => {
      const walk = of(MARKS).openCursor();
      walk.onsuccess = () => {
        const cursor = walk.result;
        if (!cursor) return;
        const at = ids.indexOf(cursor.value.id);
        if (at >= 0) cursor.update({ ...cursor.value, state: "refused", code: codes[at] });
        cursor.continue();
      };
    });
  }

  remove(ids) {
    return this.write([MARKS], (of) => this.drop(of(MARKS), (one) => ids.includes(one.id)));
  }

  drop(store, fits) {
    const walk = store.openCursor();
    walk.onsuccess = () => {
      const cursor = walk.result;
      if (!cursor) return;
      if (fits(cursor.value)) cursor.delete();
      cursor.continue();
    };
  }

  seat(workshop) {
    return this.read(SEATS, (store) => store.get(workshop));
  }

  seats() {
    return this.read(SEATS, (store) => store.getAll());
  }

  putSeat(seat) {
    return this.write([SEATS], (of) => of(SEATS).put(seat));
  }

  dropSeat(workshop) {
    return this.write([SEATS], (of) => of(SEATS).delete(workshop));
  }

  /* Wipe everything, sent or not: only what an adult confirmed asks for this. */
  wipe() {
    return this.write([MARKS, SEATS], (of) => {
      of(MARKS).clear();
      of(SEATS).clear();
    });
  }
}
