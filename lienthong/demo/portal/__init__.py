"""The portal's part of the demo: 200 dossiers of ten communes go up while the national portal fails in six ways."""
