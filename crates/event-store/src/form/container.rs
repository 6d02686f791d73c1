//! Options, pairs, lists, maps and sets of anything that has a form; [`super`] has their drawing.
//!
//! A count is never above the number of bytes that are left, and every value has a byte at least:
//! a false count is refused before anything is allocated. There is no lower limit, since a record
//! that was acknowledged must never be too long to be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use imbl::{OrdMap, OrdSet};

use super::{Form, FormFault, Reader, Writer};

/// How many values of a list get room before the first is read. A false count costs no more.
const ROOM_MAX: usize = 16;

impl<T: Form> Form for Arc<T> {
    fn put(&self, to: &mut Writer) {
        T::put(self, to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        T::take(from).map(Self::new)
    }
}

impl<T: Form> Form for Box<T> {
    fn put(&self, to: &mut Writer) {
        T::put(self, to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        T::take(from).map(Self::new)
    }
}

impl<T: Form> Form for Option<T> {
    fn put(&self, to: &mut Writer) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        bool::take(from)?.then(|| T::take(from)).transpose()
    }
}

impl<A: Form, B: Form> Form for (A, B) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

impl<T: Form> Form for Vec<T> {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        self.iter().for_each(|value| value.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let count = from.count()?;
        let mut values = Self::with_capacity(count.min(ROOM_MAX));
        for _ in 0..count {
            values.push(T::take(from)?);
        }
        Ok(values)
    }
}

impl<K: Form + Ord, V: Form> Form for BTreeMap<K, V> {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        for (key, value) in self {
            key.put(to);
            value.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let mut map = Self::new();
        for _ in 0..from.count()? {
            let offset = from.offset();
            let key = K::take(from)?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(FormFault::NotCanonical { of: "map", offset });
            }
            map.insert(key, V::take(from)?);
        }
        Ok(map)
    }
}

impl<K: Form + Ord + Clone, V: Form + Clone> Form for OrdMap<K, V> {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        for (key, value) in self {
            key.put(to);
            value.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        <BTreeMap<K, V> as Form>::take(from).map(|map| map.into_iter().collect())
    }
}

impl<T: Form + Ord> Form for BTreeSet<T> {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        self.iter().for_each(|value| value.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        rising(from).map(|values| values.into_iter().collect())
    }
}

/// The values of a set.
fn rising<T: Form + Ord>(from: &mut Reader<'_>) -> Result<Vec<T>, FormFault> {
    let count = from.count()?;
    let mut values: Vec<T> = Vec::with_capacity(count.min(ROOM_MAX));
    for _ in 0..count {
        let offset = from.offset();
        let value = T::take(from)?;
        if values.last().is_some_and(|last| *last >= value) {
            return Err(FormFault::NotCanonical { of: "set", offset });
        }
        values.push(value);
    }
    Ok(values)
}

impl<T: Form + Ord + Clone> Form for OrdSet<T> {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        self.iter().for_each(|value| value.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        rising(from).map(|values| values.into_iter().collect())
    }
}
