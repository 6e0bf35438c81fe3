//! A whole server in this process, on a new embedded database.

use std::sync::Arc;

use anyhow::Context as _;
use flowmaster_kernel::{Ctx, IdSource};
use flowmaster_mcp_server::compose::{Server, compose};
use flowmaster_mcp_server::config::Config;
use flowmaster_mcp_server::mcp::Observer;
use flowmaster_mcp_server::system::RandomIds;

/// A server that runs.
pub(crate) struct Composed {
    pub(crate) server: Server,
    /// Calls in the name of its first tenant.
    pub(crate) ctx: Ctx,
    folder: tempfile::TempDir,
    key: String,
}

impl Composed {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        let server = compose(config, Observer::default()).await?;
        let key = server.new_key.as_ref().context("the store is not new")?.expose().to_owned();
        let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
        let ctx = Ctx::system(server.owner.tenant.clone(), &server.app.surface.clock, &ids);
        Ok(Self { server, ctx, folder, key })
    }

    /// Ends the server; gives its folder and the administrator's key.
    pub(crate) async fn close(self) -> (tempfile::TempDir, String) {
        self.server.background.stop().await;
        self.server.rooms.db.close().await;
        (self.folder, self.key)
    }
}
