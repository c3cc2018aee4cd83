//! GitHub's scalars: all of them texts.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Utc};

use crate::github::json::time;
use crate::github::model::Time;

macro_rules! text {
    ($($name:ident = $graphql:tt),+ $(,)?) => { $(
        #[derive(Debug, Clone)]
        pub(in crate::github) struct $name(pub String);

        #[Scalar(name = $graphql)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => Ok(Self(text)),
                    other => Err(InputValueError::expected_type(other)),
                }
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.clone())
            }
        }
    )+ };
}

macro_rules! instant {
    ($($name:ident = $graphql:tt),+ $(,)?) => { $(
        #[derive(Debug, Clone, Copy)]
        pub(in crate::github) struct $name(pub Time);

        #[Scalar(name = $graphql)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => Ok(Self(DateTime::parse_from_rfc3339(&text)?.with_timezone(&Utc))),
                    other => Err(InputValueError::expected_type(other)),
                }
            }

            fn to_value(&self) -> Value {
                Value::String(time(self.0))
            }
        }
    )+ };
}

text! { Uri = "URI", GitObjectId = "GitObjectID", BigInt = "BigInt" }
instant! { Instant = "DateTime", GitTimestamp = "GitTimestamp" }
