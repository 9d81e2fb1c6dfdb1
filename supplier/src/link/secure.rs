//! Connections between boxes: TLS 1.3 with their keys instead of certificates (RFC 7250).
//!
//! Both sides prove that they have their key. Whose key is not expected does not get through the
//! handshake.

use super::key::{LinkKey, PeerKey};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// How long a connection and its handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum SecureError {
    #[error("the key cannot be used: {0}")]
    Key(Error),
    #[error("{address} cannot be reached: {error}")]
    Connect { address: String, error: std::io::Error },
    #[error("the handshake failed: {0}; does each side know the other's key?")]
    Handshake(std::io::Error),
    #[error("the handshake took longer than {} s", HANDSHAKE.as_secs())]
    Slow,
    #[error("the other side showed no key")]
    NoKey,
}

/// A box's own key, and whose calls it takes.
#[derive(Clone)]
pub struct Keys {
    own: PeerKey,
    certified: Arc<CertifiedKey>,
    provider: Arc<CryptoProvider>,
    expected: Arc<RwLock<BTreeSet<PeerKey>>>,
}

impl Keys {
    /// The box with this key; it takes nobody's calls yet.
    pub fn new(key: &LinkKey) -> Result<Keys, SecureError> {
        let pkcs8 = PrivatePkcs8KeyDer::from(key.pkcs8());
        let signing = ring::sign::any_eddsa_type(&pkcs8).map_err(SecureError::Key)?;
        let public = CertificateDer::from(key.public().spki());
        Ok(Keys {
            own: key.public(),
            certified: Arc::new(CertifiedKey::new(vec![public], signing)),
            provider: Arc::new(ring::default_provider()),
            expected: Arc::default(),
        })
    }

    /// Who this box is.
    pub fn own(&self) -> PeerKey {
        self.own
    }

    /// From now on calls of these are taken, and of nobody else.
    pub fn expect(&self, peers: impl IntoIterator<Item = PeerKey>) {
        *self.expected.write().unwrap_or_else(PoisonError::into_inner) =
            peers.into_iter().collect();
    }

    fn verifier(&self, peers: Arc<RwLock<BTreeSet<PeerKey>>>) -> Arc<Verifier> {
        Arc::new(Verifier { peers, provider: self.provider.clone() })
    }

    fn client(&self, peer: PeerKey) -> Result<ClientConfig, Error> {
        let verifier = self.verifier(Arc::new(RwLock::new([peer].into())));
        let resolver =
            rustls::client::AlwaysResolvesClientRawPublicKeys::new(self.certified.clone());
        Ok(ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::new(resolver)))
    }

    fn server(&self) -> Result<ServerConfig, Error> {
        let verifier = self.verifier(self.expected.clone());
        let resolver =
            rustls::server::AlwaysResolvesServerRawPublicKeys::new(self.certified.clone());
        Ok(ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(resolver)))
    }
}

/// Connects to the box with key `peer`.
pub async fn dial(
    keys: &Keys,
    peer: PeerKey,
    address: &str,
) -> Result<TlsStream<TcpStream>, SecureError> {
    let config = keys.client(peer).map_err(SecureError::Key)?;
    let connect = async {
        let connected = TcpStream::connect(address).await;
        let connect = |error| SecureError::Connect { address: address.to_owned(), error };
        let stream = connected.map_err(connect)?;
        stream.set_nodelay(true).map_err(connect)?;
        let name = ServerName::try_from("lode").expect("it is a name");
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        connecting.await.map(TlsStream::from).map_err(SecureError::Handshake)
    };
    tokio::time::timeout(HANDSHAKE, connect).await.map_err(|_| SecureError::Slow)?
}

/// Takes a call, and tells who calls.
pub async fn accept(
    keys: &Keys,
    stream: TcpStream,
) -> Result<(TlsStream<TcpStream>, PeerKey), SecureError> {
    let config = keys.server().map_err(SecureError::Key)?;
    stream.set_nodelay(true).map_err(SecureError::Handshake)?;
    let accepting = TlsAcceptor::from(Arc::new(config)).accept(stream);
    let accepted = tokio::time::timeout(HANDSHAKE, accepting).await;
    let stream = accepted.map_err(|_| SecureError::Slow)?.map_err(SecureError::Handshake)?;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let peer = shown.and_then(|key| PeerKey::of_spki(key)).ok_or(SecureError::NoKey)?;
    Ok((TlsStream::from(stream), peer))
}

/// Takes the keys that are expected, and signatures by them.
#[derive(Debug)]
struct Verifier {
    peers: Arc<RwLock<BTreeSet<PeerKey>>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn known(&self, key: &CertificateDer<'_>) -> Result<(), Error> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        match PeerKey::of_spki(key) {
            Some(key) if peers.contains(&key) => Ok(()),
            _ => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn signed(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(key.as_ref());
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
    }
}

/// TLS 1.2 is not spoken.
fn too_old() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("TLS 1.2 is not spoken".to_owned()))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.known(key).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        too_old()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, key, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.known(key).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        too_old()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, key, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
