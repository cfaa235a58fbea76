//! Lists that come in pages.

use stackgen_deploy::AccountResult;

use crate::operation::AwsOperation;

/// The largest number of pages of one list. API Gateway's quotas allow far fewer.
const MOST_PAGES: usize = 1_000;

/// Returns the items of every page of a list. A list is complete once the service returns no further token.
pub(crate) async fn pages<T, F>(
    operation: &AwsOperation,
    mut page: impl FnMut(Option<String>) -> F,
) -> AccountResult<Vec<T>>
where
    F: Future<Output = AccountResult<(Vec<T>, Option<String>)>>,
{
    let (mut all, mut token) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let (items, next) = page(token.clone()).await?;
        all.extend(items);
        let next = next.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(all);
        }
        if next == token {
            return Err(operation.endless());
        }
        token = next;
    }
    Err(operation.endless())
}
