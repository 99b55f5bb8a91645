//! Categories: where products are found. One can be closed when it holds no product.

use super::CategoryName;
use crate::app::App;
use crate::audit::Action;
use crate::ids::CategoryId;
use crate::store::{Slice, StoreError};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why a category was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("a category has this name already")]
    Taken,
    #[error("could not open the category")]
    Write(#[from] WriteError),
}

/// Why a category was not closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CloseError {
    #[error("there is no such category")]
    NotFound,
    #[error("{0} products are in the category")]
    InUse(u64),
    #[error("could not close the category")]
    Write(#[from] WriteError),
}

/// What is shown of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) id: CategoryId,
    pub(crate) name: String,
}

/// A category about to be.
#[derive(Debug, Clone)]
pub(crate) struct NewCategory {
    pub(crate) id: CategoryId,
    pub(crate) name: CategoryName,
}

/// A category that is no longer wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloseCategory(pub(crate) CategoryId);

/// Categories, oldest first.
pub(crate) async fn categories(
    app: &App,
    slice: &Slice<CategoryId>,
) -> Result<Vec<Category>, StoreError> {
    app.store.categories(slice).await
}

/// Opens a category; its id is new.
pub(crate) async fn open(app: &App, name: CategoryName) -> Result<CategoryId, OpenError> {
    let id = app.ids.next(app.clock.now());
    app.writer.submit(NewCategory { id, name }).await??;
    Ok(id)
}

/// Closes a category that holds no product.
pub(crate) async fn close(app: &App, category: CloseCategory) -> Result<(), CloseError> {
    app.writer.submit(category).await?
}

impl Write for NewCategory {
    type Answer = Result<(), OpenError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.category_names.insert(self.name.folded());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        if sheet.catalog.is_category_name_taken(&self.name) {
            return Err(OpenError::Taken);
        }
        sheet.catalog.open(self.clone());
        sheet.audit(Action::CategoryOpened, self.id);
        Ok(())
    }
}

impl Write for CloseCategory {
    type Answer = Result<(), CloseError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.categories.insert(self.0);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        match sheet.catalog.products_in(self.0) {
            None => Err(CloseError::NotFound),
            Some(0) => {
                sheet.catalog.close(self.0);
                sheet.audit(Action::CategoryClosed, self.0);
                Ok(())
            }
            Some(products) => Err(CloseError::InUse(products)),
        }
    }
}
