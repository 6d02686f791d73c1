//! The two shapes of the stored form's tables: fields in order, variants with their numbers.
//!
//! A table writes and reads by the same lines, so that the two can't differ; a field or variant
//! that the domain adds breaks the build until the table names it. A table makes a [`Form`]
//! unless it names another trait with the same two functions.
//!
//! [`Form`]: super::Form

/// The form of a struct: its fields, in the order of the table.
macro_rules! fields {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::form::Form for $type {
            fn put(&self, to: &mut $crate::form::Writer) {
                let Self { $($field),+ } = self;
                $($crate::form::Form::put($field, to);)+
            }

            fn take(
                from: &mut $crate::form::Reader<'_>,
            ) -> Result<Self, $crate::form::FormFault> {
                $(let $field = $crate::form::Form::take(from)?;)+
                Ok(Self { $($field),+ })
            }
        }
    };
}

/// The form of an enum: the variant's number, then its fields in the order of the table.
macro_rules! variants {
    ($type:ident, $name:literal { $($table:tt)+ }) => {
        $crate::form::table::variants!($type: $crate::form::Form, $name { $($table)+ });
    };
    ($type:ident: $trait:path, $name:literal {
        $($tag:literal => $variant:ident $({ $($field:ident),+ })? $(( $($item:ident),+ ))?),+ $(,)?
    }) => {
        impl $trait for $type {
            fn put(&self, to: &mut $crate::form::Writer) {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(( $($item),+ ))? => {
                        to.byte($tag);
                        $($($crate::form::Form::put($field, to);)+)?
                        $($($crate::form::Form::put($item, to);)+)?
                    })+
                }
            }

            fn take(
                from: &mut $crate::form::Reader<'_>,
            ) -> Result<Self, $crate::form::FormFault> {
                let offset = from.offset();
                match from.byte()? {
                    $($tag => {
                        $($(let $field = $crate::form::Form::take(from)?;)+)?
                        $($(let $item = $crate::form::Form::take(from)?;)+)?
                        Ok(Self::$variant $({ $($field),+ })? $(( $($item),+ ))?)
                    })+
                    tag => Err($crate::form::FormFault::TagUnknown { of: $name, tag, offset }),
                }
            }
        }
    };
}

pub(super) use fields;
pub(super) use variants;
