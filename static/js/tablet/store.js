// What is kept on this device: a drawer of single things, and the entries in the order they were made.

let opening = null;

function database() {
  opening ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("hall", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("kept");
      const entries = asked.result.createObjectStore("entries", { keyPath: "seq", autoIncrement: true });
      entries.createIndex("key", "key", { unique: true });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => {
      opening = null;
      reject(asked.error);
    };
  });
  return opening;
}

// Resolves with the request's result once the transaction is on the disk, not before: a battery may end at any moment.
async function within(store, mode, act) {
  const opened = await database();
  return new Promise((resolve, reject) => {
    const transaction = opened.transaction(store, mode, { durability: "strict" });
    const asked = act(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(asked?.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

export const kept = {
  get: (name) => within("kept", "readonly", (store) => store.get(name)),
  put: (name, value) => within("kept", "readwrite", (store) => store.put(value, name)),
  drop: (name) => within("kept", "readwrite", (store) => store.delete(name)),
  // Only where it still is: what was erased, perhaps in another tab, does not come back.
  replace: (name, value) =>
    within("kept", "readwrite", (store) => {
      const asked = store.getKey(name);
      asked.onsuccess = () => asked.result !== undefined && store.put(value, name);
      return asked;
    }).then((found) => found !== undefined),
  names: () => within("kept", "readonly", (store) => store.getAllKeys()),
};

export const entries = {
  all: () => within("entries", "readonly", (store) => store.getAll()),
  add: (entry) => within("entries", "readwrite", (store) => store.add(entry)),
  put: (entry) => within("entries", "readwrite", (store) => store.put(entry)),
  drop: (keys) => within("entries", "readwrite", (store) => void keys.forEach((seq) => store.delete(seq))),
};
