/* proconsul's web page, built by scripts/build_page.py from src/proconsul/ui/page. Licences: NOTICE. */
var fl=Object.defineProperty;var E=(e,t)=>()=>(e&&(t=e(e=0)),t);var Ce=(e,t)=>{for(var n in t)fl(e,n,{get:t[n],enumerable:!0})};function nt(e,t){for(var n in t)e[n]=t[n];return e}function co(e){e&&e.parentNode&&e.parentNode.removeChild(e)}function Nn(e,t,n){var s,o,a,i={};for(a in t)a=="\
key"?s=t[a]:a=="ref"?o=t[a]:i[a]=t[a];if(arguments.length>2&&(i.children=arguments.length>3?rs.call(arguments,2):n),typeof e=="function"&&e.defaultProps!=null)for(a in e.
defaultProps)i[a]===void 0&&(i[a]=e.defaultProps[a]);return ns(e,i,s,o,null)}function ns(e,t,n,s,o){var a={type:e,props:t,key:n,ref:s,__k:null,__:null,__b:0,__e:null,
__c:null,constructor:void 0,__v:o??++ba,__i:-1,__u:0};return o==null&&G.vnode!=null&&G.vnode(a),a}function ft(e){return e.children}function Jt(e,t){this.props=e,
this.context=t}function Nt(e,t){if(t==null)return e.__?Nt(e.__,e.__i+1):null;for(var n;t<e.__k.length;t++)if((n=e.__k[t])!=null&&n.__e!=null)return n.__e;return typeof e.
type=="function"?Nt(e):null}function hl(e){if(e.__P&&e.__d){var t=e.__v,n=t.__e,s=[],o=[],a=nt({},t);a.__v=t.__v+1,G.vnode&&G.vnode(a),uo(e.__P,a,t,e.__n,e.__P.
namespaceURI,32&t.__u?[n]:null,s,n??Nt(t),!!(32&t.__u),o),a.__v=t.__v,a.__.__k[a.__i]=a,Da(s,a,o),t.__e=t.__=null,a.__e!=n&&xa(a)}}function xa(e){if((e=e.__)!=null&&
e.__c!=null)return e.__e=e.__c.base=null,e.__k.some(function(t){if(t!=null&&t.__e!=null)return e.__e=e.__c.base=t.__e}),xa(e)}function va(e){(!e.__d&&(e.__d=!0)&&
dt.push(e)&&!as.__r++||ma!=G.debounceRendering)&&((ma=G.debounceRendering)||wa)(as)}function as(){try{for(var e,t=1;dt.length;)dt.length>t&&dt.sort(ka),e=dt.shift(),
t=dt.length,hl(e)}finally{dt.length=as.__r=0}}function Sa(e,t,n,s,o,a,i,l,u,c,d){var $,f,p,m,y,h,k=s&&s.__k||os,_=t.length;for(u=ml(n,t,k,u,_),$=0;$<_;$++)(p=n.
__k[$])!=null&&(f=p.__i!=-1&&k[p.__i]||ss,p.__i=$,h=uo(e,p,f,o,a,i,l,u,c,d),m=p.__e,p.ref&&f.ref!=p.ref&&(f.ref&&fo(f.ref,null,p),d.push(p.ref,p.__c||m,p)),y==null&&
m!=null&&(y=m),4&p.__u?(u=Na(p,u,e),f.__e&&(f.__e=null)):typeof p.type=="function"&&h!==void 0?u=h:m&&(u=m.nextSibling),p.__u&=-7);return n.__e=y,u}function ml(e,t,n,s,o){
var a,i,l,u,c,d=n.length,$=d,f=0;for(e.__k=new Array(o),a=0;a<o;a++)(i=t[a])!=null&&typeof i!="boolean"&&typeof i!="function"?(typeof i=="string"||typeof i=="nu\
mber"||typeof i=="bigint"||i.constructor==String?i=e.__k[a]=ns(null,i,null,null,null):is(i)?i=e.__k[a]=ns(ft,{children:i},null,null,null):i.constructor===void 0&&
i.__b>0?i=e.__k[a]=ns(i.type,i.props,i.key,i.ref?i.ref:null,i.__v):e.__k[a]=i,u=a+f,i.__=e,i.__b=e.__b+1,l=null,(c=i.__i=vl(i,n,u,$))!=-1&&($--,(l=n[c])&&(l.__u|=
2)),l==null||l.__v==null?(c==-1&&(o>d?f--:o<d&&f++),typeof i.type!="function"&&(i.__u|=4)):c!=u&&(c==u-1?f--:c==u+1?f++:(c>u?f--:f++,i.__u|=4))):e.__k[a]=null;if($)
for(a=0;a<d;a++)(l=n[a])!=null&&(2&l.__u)==0&&(l.__e==s&&(s=Nt(l)),Aa(l,l));return s}function Na(e,t,n){var s,o;if(typeof e.type=="function"){for(s=e.__k,o=0;s&&
o<s.length;o++)s[o]&&(s[o].__=e,t=Na(s[o],t,n));return t}e.__e!=t&&(t&&e.type&&!t.parentNode&&(t=Nt(e)),t=n.insertBefore(e.__e,t||null));do t=t&&t.nextSibling;while(t!=
null&&t.nodeType==8);return t}function vl(e,t,n,s){var o,a,i,l=e.key,u=e.type,c=t[n],d=c!=null&&(2&c.__u)==0;if(c===null&&l==null||d&&l==c.key&&u==c.type)return n;
if(s>(d?1:0)){for(o=n-1,a=n+1;o>=0||a<t.length;)if((c=t[i=o>=0?o--:a++])!=null&&(2&c.__u)==0&&l==c.key&&u==c.type)return i}return-1}function ga(e,t,n){t[0]=="-"?
e.setProperty(t,n??""):e[t]=n==null?"":typeof n!="number"||pl.test(t)?n:n+"px"}function es(e,t,n,s,o){var a,i;e:if(t=="style")if(typeof n=="string")e.style.cssText=
n;else{if(typeof s=="string"&&(e.style.cssText=s=""),s)for(t in s)n&&t in n||ga(e.style,t,"");if(n)for(t in n)s&&n[t]==s[t]||ga(e.style,t,n[t])}else if(t[0]=="o"&&
t[1]=="n")a=t!=(t=t.replace(_a,"$1")),i=t.toLowerCase(),t=i in e||t=="onFocusOut"||t=="onFocusIn"?i.slice(2):t.slice(2),e.l||(e.l={}),e.l[t+a]=n,n?s?n[Sn]=s[Sn]:
(n[Sn]=lo,e.addEventListener(t,a?ro:ao,a)):e.removeEventListener(t,a?ro:ao,a);else{if(o=="http://www.w3.org/2000/svg")t=t.replace(/xlink(H|:h)/,"h").replace(/sName$/,
"s");else if(t!="width"&&t!="height"&&t!="href"&&t!="list"&&t!="form"&&t!="tabIndex"&&t!="download"&&t!="rowSpan"&&t!="colSpan"&&t!="role"&&t!="popover"&&t in e)
try{e[t]=n??"";break e}catch{}typeof n=="function"||(n==null||n===!1&&t[4]!="-"?e.removeAttribute(t):e.setAttribute(t,t=="popover"&&n==1?"":n))}}function ya(e){
return function(t){if(this.l){var n=this.l[t.type+e];if(t[ts]==null)t[ts]=lo++;else if(t[ts]<n[Sn])return;return n(G.event?G.event(t):t)}}}function uo(e,t,n,s,o,a,i,l,u,c){
var d,$,f,p,m,y,h,k,_,K,xe,be,He,ut,et,I,ue=t.type;if(t.constructor!==void 0)return null;128&n.__u&&(u=!!(32&n.__u),a=[l=t.__e=n.__e]),(d=G.__b)&&d(t);e:if(typeof ue==
"function"){$=i.length;try{if(_=t.props,K=ue.prototype&&ue.prototype.render,xe=(d=ue.contextType)&&s[d.__c],be=d?xe?xe.props.value:d.__:s,n.__c?k=(f=t.__c=n.__c).
__=f.__E:(K?t.__c=f=new ue(_,be):(t.__c=f=new Jt(_,be),f.constructor=ue,f.render=yl),xe&&xe.sub(f),f.state||(f.state={}),f.__n=s,p=f.__d=!0,f.__h=[],f._sb=[]),K&&
f.__s==null&&(f.__s=f.state),K&&ue.getDerivedStateFromProps!=null&&(f.__s==f.state&&(f.__s=nt({},f.__s)),nt(f.__s,ue.getDerivedStateFromProps(_,f.__s))),m=f.props,
y=f.state,f.__v=t,p)K&&ue.getDerivedStateFromProps==null&&f.componentWillMount!=null&&f.componentWillMount(),K&&f.componentDidMount!=null&&f.__h.push(f.componentDidMount);else{
if(K&&ue.getDerivedStateFromProps==null&&_!==m&&f.componentWillReceiveProps!=null&&f.componentWillReceiveProps(_,be),t.__v==n.__v||!f.__e&&f.shouldComponentUpdate!=
null&&f.shouldComponentUpdate(_,f.__s,be)===!1){t.__v!=n.__v&&(f.props=_,f.state=f.__s,f.__d=!1),t.__e=n.__e,t.__k=n.__k,t.__k.some(function(le){le&&(le.__=t)}),
os.push.apply(f.__h,f._sb),f._sb=[],f.__h.length&&i.push(f),l=Nt(n);break e}f.componentWillUpdate!=null&&f.componentWillUpdate(_,f.__s,be),K&&f.componentDidUpdate!=
null&&f.__h.push(function(){f.componentDidUpdate(m,y,h)})}if(f.context=be,f.props=_,f.__P=e,f.__e=!1,He=G.__r,ut=0,K)f.state=f.__s,f.__d=!1,He&&He(t),d=f.render(
f.props,f.state,f.context),os.push.apply(f.__h,f._sb),f._sb=[];else do f.__d=!1,He&&He(t),d=f.render(f.props,f.state,f.context),f.state=f.__s;while(f.__d&&++ut<
25);f.state=f.__s,f.getChildContext!=null&&(s=nt(nt({},s),f.getChildContext())),K&&!p&&f.getSnapshotBeforeUpdate!=null&&(h=f.getSnapshotBeforeUpdate(m,y)),et=d!=
null&&d.type===ft&&d.key==null?Ca(d.props.children):d,l=Sa(e,is(et)?et:[et],t,n,s,o,a,i,l,u,c),f.base=t.__e,t.__u&=-161,f.__h.length&&i.push(f),k&&(f.__E=f.__=null)}catch(le){
if(i.length=$,t.__v=null,u||a!=null){if(le.then){for(t.__u|=u?160:128;l&&l.nodeType==8&&l.nextSibling;)l=l.nextSibling;a!=null&&(a[a.indexOf(l)]=null),t.__e=l}else if(a!=
null)for(I=a.length;I--;)co(a[I])}else t.__e=n.__e;t.__k==null&&(t.__k=n.__k||[]),le.then||Ta(t),G.__e(le,t,n)}}else a==null&&t.__v==n.__v?(t.__k=n.__k,t.__e=n.
__e):l=t.__e=gl(n.__e,t,n,s,o,a,i,u,c);return(d=G.diffed)&&d(t),128&t.__u?void 0:l}function Ta(e){e&&(e.__c&&(e.__c.__e=!0),e.__k&&e.__k.some(Ta))}function Da(e,t,n){
for(var s=0;s<n.length;s++)fo(n[s],n[++s],n[++s]);G.__c&&G.__c(t,e),e.some(function(o){try{e=o.__h,o.__h=[],e.some(function(a){a.call(o)})}catch(a){G.__e(a,o.__v)}})}
function Ca(e){return typeof e!="object"||e==null||e.__b>0?e:is(e)?e.map(Ca):e.constructor!==void 0?null:nt({},e)}function gl(e,t,n,s,o,a,i,l,u){var c,d,$,f,p,m,
y,h=n.props||ss,k=t.props,_=t.type;if(_=="svg"?o="http://www.w3.org/2000/svg":_=="math"?o="http://www.w3.org/1998/Math/MathML":o||(o="http://www.w3.org/1999/xht\
ml"),a!=null){for(c=0;c<a.length;c++)if((p=a[c])&&"setAttribute"in p==!!_&&(_?p.localName==_:p.nodeType==3)){e=p,a[c]=null;break}}if(e==null){if(_==null)return document.
createTextNode(k);e=document.createElementNS(o,_,k.is&&k),l&&(G.__m&&G.__m(t,a),l=!1),a=null}if(_==null)h===k||l&&e.data==k||(e.data=k);else{if(a=_=="textarea"&&
k.defaultValue!=null?null:a&&rs.call(e.childNodes),!l&&a!=null)for(h={},c=0;c<e.attributes.length;c++)h[(p=e.attributes[c]).name]=p.value;for(c in h)p=h[c],c=="\
dangerouslySetInnerHTML"?$=p:c=="children"||c in k||c=="value"&&"defaultValue"in k||c=="checked"&&"defaultChecked"in k||es(e,c,null,p,o);for(c in k)p=k[c],c=="c\
hildren"?f=p:c=="dangerouslySetInnerHTML"?d=p:c=="value"?m=p:c=="checked"?y=p:l&&typeof p!="function"||h[c]===p||es(e,c,p,h[c],o);if(d)l||$&&(d.__html==$.__html||
d.__html==e.innerHTML)||(e.innerHTML=d.__html),t.__k=[];else if($&&(e.innerHTML=""),Sa(t.type=="template"?e.content:e,is(f)?f:[f],t,n,s,_=="foreignObject"?"http\
://www.w3.org/1999/xhtml":o,a,i,a?a[0]:n.__k&&Nt(n,0),l,u),a!=null)for(c=a.length;c--;)co(a[c]);l&&_!="textarea"||(c="value",_=="progress"&&m==null?e.removeAttribute(
"value"):m!=null&&(m!==e[c]||_=="progress"&&!m||_=="option"&&m!=h[c])&&es(e,c,m,h[c],o),c="checked",y!=null&&y!=e[c]&&es(e,c,y,h[c],o))}return e}function fo(e,t,n){
try{if(typeof e=="function"){var s=typeof e.__u=="function";s&&e.__u(),s&&t==null||(e.__u=e(t))}else e.current=t}catch(o){G.__e(o,n)}}function Aa(e,t,n){var s,o;
if(G.unmount&&G.unmount(e),(s=e.ref)&&(s.current&&s.current!=e.__e||fo(s,null,t)),(s=e.__c)!=null){if(s.componentWillUnmount)try{s.componentWillUnmount()}catch(a){
G.__e(a,t)}s.base=s.__P=s.__n=null}if(s=e.__k)for(o=0;o<s.length;o++)s[o]&&Aa(s[o],t,n||typeof e.type!="function");n||co(e.__e),e.__c=e.__=e.__e=void 0}function yl(e,t,n){
return this.constructor(e,n)}function $o(e,t,n){var s,o,a,i;t==document&&(t=document.documentElement),G.__&&G.__(e,t),o=(s=typeof n=="function")?null:n&&n.__k||
t.__k,a=[],i=[],uo(t,e=(!s&&n||t).__k=Nn(ft,null,[e]),o||ss,ss,t.namespaceURI,!s&&n?[n]:o?null:t.firstChild?rs.call(t.childNodes):null,a,!s&&n?n:o?o.__e:t.firstChild,
s,i),Da(a,e,i),e.props.children=null}var rs,G,ba,io,dt,ma,wa,ka,oo,ts,Sn,_a,lo,ao,ro,$l,ss,os,pl,is,ls=E(()=>{ss={},os=[],pl=/acit|ex(?:s|g|n|p|$)|rph|grid|ows|mnc|ntw|ine[ch]|zoo|^ord|itera/i,
is=Array.isArray;rs=os.slice,G={__e:function(e,t,n,s){for(var o,a,i;t=t.__;)if((o=t.__c)&&!o.__)try{if((a=o.constructor)&&a.getDerivedStateFromError!=null&&(o.setState(
a.getDerivedStateFromError(e)),i=o.__d),o.componentDidCatch!=null&&(o.componentDidCatch(e,s||{}),i=o.__d),i)return o.__E=o}catch(l){e=l}throw e}},ba=0,io=function(e){
return e!=null&&e.constructor===void 0},Jt.prototype.setState=function(e,t){var n;n=this.__s!=null&&this.__s!=this.state?this.__s:this.__s=nt({},this.state),typeof e==
"function"&&(e=e(nt({},n),this.props)),e&&nt(n,e),e!=null&&this.__v&&(t&&this._sb.push(t),va(this))},Jt.prototype.forceUpdate=function(e){this.__v&&(this.__e=!0,
e&&this.__h.push(e),va(this))},Jt.prototype.render=ft,dt=[],wa=typeof Promise=="function"?Promise.prototype.then.bind(Promise.resolve()):setTimeout,ka=function(e,t){
return e.__v.__b-t.__v.__b},as.__r=0,oo=Math.random().toString(8),ts="__d"+oo,Sn="__a"+oo,_a=/(PointerCapture)$|Capture$/i,lo=0,ao=ya(!1),ro=ya(!0),$l=0});function Oa(e){var t=Ia.get(this);return t||(t=new Map,Ia.set(this,t)),(t=Ea(this,t.get(e)||(t.set(e,t=(function(n){for(var s,o,a=1,i="",l="",u=[0],c=function(f){
a===1&&(f||(i=i.replace(/^\s*\n\s*|\s*\n\s*$/g,"")))?u.push(0,f,i):a===3&&(f||i)?(u.push(3,f,i),a=2):a===2&&i==="..."&&f?u.push(4,f,0):a===2&&i&&!f?u.push(5,0,!0,
i):a>=5&&((i||!f&&a===5)&&(u.push(a,0,i,o),a=6),f&&(u.push(a,f,0,o),a=6)),i=""},d=0;d<n.length;d++){d&&(a===1&&c(),c(d));for(var $=0;$<n[d].length;$++)s=n[d][$],
a===1?s==="<"?(c(),u=[u],a=3):i+=s:a===4?i==="--"&&s===">"?(a=1,i=""):i=s+i[0]:l?s===l?l="":i+=s:s==='"'||s==="'"?l=s:s===">"?(c(),a=1):a&&(s==="="?(a=5,o=i,i=""):
s==="/"&&(a<5||n[d][$+1]===">")?(c(),a===3&&(u=u[0]),a=u,(u=u[0]).push(2,0,a),a=0):s===" "||s==="	"||s===`
`||s==="\r"?(c(),a=2):i+=s),a===3&&i==="!--"&&(a=4,u=u[0])}return c(),u})(e)),t),arguments,[])).length>1?t:t[0]}var Ea,Ia,Ra=E(()=>{Ea=function(e,t,n,s){var o;t[0]=
0;for(var a=1;a<t.length;a++){var i=t[a++],l=t[a]?(t[0]|=i?1:2,n[t[a++]]):t[++a];i===3?s[0]=l:i===4?s[1]=Object.assign(s[1]||{},l):i===5?(s[1]=s[1]||{})[t[++a]]=
l:i===6?s[1][t[++a]]+=l+"":i?(o=e.apply(l,Ea(e,l,n,["",null])),s.push(o),l[0]?t[0]|=2:(t[a-2]=0,t[a]=o)):s.push(l)}return s},Ia=new Map});function ds(e,t){pe.__h&&pe.__h(de,e,us||t),us=0;var n=de.__H||(de.__H={__:[],__h:[]});return e>=n.__.length&&n.__.push({}),n.__[e]}function g(e){return us=1,bl(
Ba,e)}function bl(e,t,n){var s=ds(Gt++,2);if(s.t=e,!s.__c&&(s.__=[n?n(t):Ba(void 0,t),function(l){var u=s.__N?s.__N[0]:s.__[0],c=s.t(u,l);u!==c&&(s.__N=[c,s.__[1]],
s.__c.setState({}))}],s.__c=de,!de.__f)){var o=function(l,u,c){if(!s.__c.__H)return!0;var d=!1,$=s.__c.props!==l;if(s.__c.__H.__.some(function(p){if(p.__N){d=!0;
var m=p.__[0];p.__=p.__N,p.__N=void 0,m!==p.__[0]&&($=!0)}}),a){var f=a.call(this,l,u,c);return d?f||$:f}return!d||$};de.__f=!0;var a=de.shouldComponentUpdate,i=de.
componentWillUpdate;de.componentWillUpdate=function(l,u,c){if(this.__e){var d=a;a=void 0,o(l,u,c),a=d}i&&i.call(this,l,u,c)},de.shouldComponentUpdate=o}return s.
__N||s.__}function A(e,t){var n=ds(Gt++,3);!pe.__s&&mo(n.__H,t)&&(n.__=e,n.u=t,de.__H.__h.push(n))}function zt(e,t){var n=ds(Gt++,4);!pe.__s&&mo(n.__H,t)&&(n.__=
e,n.u=t,de.__h.push(n))}function ee(e){return us=5,b(function(){return{current:e}},[])}function b(e,t){var n=ds(Gt++,7);return mo(n.__H,t)&&(n.__=e(),n.__H=t,n.
__h=e),n.__}function wl(){for(var e;e=Wa.shift();){var t=e.__H;if(e.__P&&t)try{t.__h.some(cs),t.__h.some(ho),t.__h=[]}catch(n){t.__h=[],pe.__e(n,e.__v)}}}function kl(e){
var t,n=function(){clearTimeout(s),Fa&&cancelAnimationFrame(t),setTimeout(e)},s=setTimeout(n,35);Fa&&(t=requestAnimationFrame(n))}function cs(e){var t=de,n=e.__c;
typeof n=="function"&&(e.__c=void 0,n()),de=t}function ho(e){var t=de;e.__c=e.__(),de=t}function mo(e,t){return!e||e.length!==t.length||t.some(function(n,s){return n!==
e[s]})}function Ba(e,t){return typeof t=="function"?t(e):t}var Gt,de,po,Ma,us,Wa,pe,La,Pa,Ua,ja,qa,Ka,Fa,vo=E(()=>{ls();us=0,Wa=[],pe=G,La=pe.__b,Pa=pe.__r,Ua=pe.
diffed,ja=pe.__c,qa=pe.unmount,Ka=pe.__;pe.__b=function(e){de=null,La&&La(e)},pe.__=function(e,t){e&&t.__k&&t.__k.__m&&(e.__m=t.__k.__m),Ka&&Ka(e,t)},pe.__r=function(e){
Pa&&Pa(e),Gt=0;var t=(de=e.__c).__H;t&&(po===de?(t.__h=[],de.__h=[],t.__.some(function(n){n.__N&&(n.__=n.__N),n.u=n.__N=void 0})):(t.__h.some(cs),t.__h.some(ho),
t.__h=[],Gt=0)),po=de},pe.diffed=function(e){Ua&&Ua(e);var t=e.__c;t&&t.__H&&(t.__H.__h.length&&(Wa.push(t)!==1&&Ma===pe.requestAnimationFrame||((Ma=pe.requestAnimationFrame)||
kl)(wl)),t.__H.__.some(function(n){n.u&&(n.__H=n.u,n.u=void 0)})),po=de=null},pe.__c=function(e,t){t.some(function(n){try{n.__h.some(cs),n.__h=n.__h.filter(function(s){
return!s.__||ho(s)})}catch(s){t.some(function(o){o.__h&&(o.__h=[])}),t=[],pe.__e(s,n.__v)}}),ja&&ja(e,t)},pe.unmount=function(e){qa&&qa(e);var t,n=e.__c;n&&n.__H&&
(n.__H.__.some(function(s){try{cs(s)}catch(o){t=o}}),n.__H=void 0,t&&pe.__e(t,n.__v))};Fa=typeof requestAnimationFrame=="function"});function hs(){if(st>1)st--;else{var e,t=!1;for((function(){var o=$s;for($s=void 0;o!==void 0;){var a=o.S;if(a.v===o.v)for(var i=a.t;i!==void 0;i=i.x)i.i===o.i&&
(i.i=a.i);o=o.o}})();Dn!==void 0;){var n=Dn;for(Dn=void 0,fs++;n!==void 0;){var s=n.u;if(n.u=void 0,n.f&=-3,!(8&n.f)&&Ha(n))try{n.c()}catch(o){t||(e=o,t=!0)}n=s}}
if(fs=0,st--,t)throw e}}function Xt(e){if(st>0)return e();go=++xl,st++;try{return e()}finally{hs()}}function Yt(e){var t=ae,n=Tn;ae=void 0,Tn=void 0;try{return e()}finally{
ae=t,Tn=n}}function Va(e){if(ae!==void 0){var t=e.n;if(t===void 0||t.t!==ae)return t={i:0,S:e,p:ae.s,n:void 0,t:ae,e:void 0,x:void 0,r:t},ae.s!==void 0&&(ae.s.n=
t),ae.s=t,e.n=t,32&ae.f&&e.S(t),t;if(t.i===-1)return t.i=0,t.n!==void 0&&(t.n.p=t.p,t.p!==void 0&&(t.p.n=t.n),t.p=ae.s,t.n=void 0,ae.s.n=t,ae.s=t),t}}function ve(e,t){
this.v=e,this.i=0,this.n=void 0,this.t=void 0,this.l=0,this.W=t?.watched,this.Z=t?.unwatched,this.name=t?.name}function B(e,t){return new ve(e,t)}function Ha(e){
for(var t=e.s;t!==void 0;t=t.n)if(t.S.i!==t.i||!t.S.h()||t.S.i!==t.i)return!0;return!1}function Ja(e){for(var t=e.s;t!==void 0;t=t.n){var n=t.S.n;if(n!==void 0&&
(t.r=n),t.S.n=t,t.i=-1,t.n===void 0){e.s=t;break}}}function Ga(e){for(var t=e.s,n=void 0;t!==void 0;){var s=t.p;t.i===-1?(t.S.U(t),s!==void 0&&(s.n=t.n),t.n!==void 0&&
(t.n.p=s)):n=t,t.S.n=t.r,t.r!==void 0&&(t.r=void 0),t=s}e.s=n}function Tt(e,t){ve.call(this,void 0,t),this.x=e,this.s=void 0,this.g=ps-1,this.f=4}function Ke(e,t){
return new Tt(e,t)}function za(e){var t=e.j;if(e.j=void 0,typeof t=="function"){st++;var n=ae;ae=void 0;try{t()}catch(s){throw e.f&=-2,e.f|=8,yo(e),s}finally{ae=
n,hs()}}}function yo(e){for(var t=e.s;t!==void 0;t=t.n)t.S.U(t);e.x=void 0,e.s=void 0,za(e)}function Sl(e){if(ae!==this)throw new Error("Out-of-order effect");Ga(
this),ae=e,this.f&=-2;try{8&this.f&&yo(this)}finally{hs()}}function Zt(e,t){this.x=e,this.j=void 0,this.s=void 0,this.u=void 0,this.f=32,this.name=t?.name,Tn&&Tn.
push(this)}function Se(e,t){var n=new Zt(e,t);try{n.c()}catch(o){throw n.d(),o}var s=n.d.bind(n);return s[Symbol.dispose]=s,s}var _l,Tn,ae,Dn,st,fs,xl,go,$s,ps,
bo=E(()=>{_l=Symbol.for("preact-signals");ae=void 0;Dn=void 0,st=0,fs=0,xl=0,go=0,$s=void 0,ps=0;ve.prototype.brand=_l;ve.prototype.h=function(){return!0};ve.prototype.
S=function(e){var t=this,n=this.t;n!==e&&e.e===void 0&&(e.x=n,this.t=e,n!==void 0?n.e=e:Yt(function(){var s;(s=t.W)==null||s.call(t)}))};ve.prototype.U=function(e){
var t=this;if(this.t!==void 0){var n=e.e,s=e.x;n!==void 0&&(n.x=s,e.e=void 0),s!==void 0&&(s.e=n,e.x=void 0),e===this.t&&(this.t=s,s===void 0&&Yt(function(){var o;
(o=t.Z)==null||o.call(t)}))}};ve.prototype.subscribe=function(e){var t=this;return Se(function(){var n=t.value;Yt(function(){return e(n)})},{name:"sub"})};ve.prototype.
valueOf=function(){return this.value};ve.prototype.toString=function(){return this.value+""};ve.prototype.toJSON=function(){return this.value};ve.prototype.peek=
function(){var e=this;return Yt(function(){return e.value})};Object.defineProperty(ve.prototype,"value",{get:function(){var e=Va(this);return e!==void 0&&(e.i=this.
i),this.v},set:function(e){if(e!==this.v){if(fs>100)throw new Error("Cycle detected");(function(n){st!==0&&fs===0&&n.l!==go&&(n.l=go,$s={S:n,v:n.v,i:n.i,o:$s})})(
this),this.v=e,this.i++,ps++,st++;try{for(var t=this.t;t!==void 0;t=t.x)t.t.N()}finally{hs()}}}});Tt.prototype=new ve;Tt.prototype.h=function(){if(this.f&=-3,1&
this.f)return!1;if((36&this.f)==32||(this.f&=-5,this.g===ps))return!0;if(this.g=ps,this.f|=1,this.i>0&&!Ha(this))return this.f&=-2,!0;var e=ae;try{Ja(this),ae=this;
var t=this.x();(16&this.f||this.v!==t||this.i===0)&&(this.v=t,this.f&=-17,this.i++)}catch(n){this.v=n,this.f|=16,this.i++}return ae=e,Ga(this),this.f&=-2,!0};Tt.
prototype.S=function(e){if(this.t===void 0){this.f|=36;for(var t=this.s;t!==void 0;t=t.n)t.S.S(t)}ve.prototype.S.call(this,e)};Tt.prototype.U=function(e){if(this.
t!==void 0&&(ve.prototype.U.call(this,e),this.t===void 0)){this.f&=-33;for(var t=this.s;t!==void 0;t=t.n)t.S.U(t)}};Tt.prototype.N=function(){if(!(2&this.f)){this.
f|=6;for(var e=this.t;e!==void 0;e=e.x)e.t.N()}};Object.defineProperty(Tt.prototype,"value",{get:function(){if(1&this.f)throw new Error("Cycle detected");var e=Va(
this);if(this.h(),e!==void 0&&(e.i=this.i),16&this.f)throw this.v;return this.v}});Zt.prototype.c=function(){var e=this.S();try{if(8&this.f||this.x===void 0)return;
var t=this.x();typeof t=="function"&&(this.j=t)}finally{e()}};Zt.prototype.S=function(){if(1&this.f)throw new Error("Cycle detected");this.f|=1,this.f&=-9,za(this),
Ja(this),st++;var e=ae;return ae=this,Sl.bind(this,e)};Zt.prototype.N=function(){2&this.f||(this.f|=2,this.u=Dn,Dn=this)};Zt.prototype.d=function(){this.f|=8,1&
this.f||yo(this)};Zt.prototype.dispose=function(){this.d()}});function Qt(e,t){G[e]=t.bind(null,G[e]||function(){})}function Cn(e){if(ms){var t=ms;ms=void 0,t()}ms=e&&e.S()}function Za(e){var t=this,n=e.data,s=Qa(n);s.name=
"ReactiveDom",s.value=n;var o=b(function(){for(var l=t,u=t.__v;u=u.__;)if(u.__c){u.__c.__$f|=4;break}var c=Ke(function(){var p=s.value.value;return p===0?0:p===
!0?"":p||""}),d=Ke(function(){return!Array.isArray(c.value)&&!io(c.value)}),$=Se(function(){if(this.N=er,d.value){var p=c.value;l.__v&&l.__v.__e&&l.__v.__e.nodeType===
3&&(l.__v.__e.data=p)}}),f=t.__$u.d;return t.__$u.d=function(){$(),f.call(this)},[d,c]},[]),a=o[0],i=o[1];return a.value?i.peek():i.value}function Tl(e,t,n,s){var o=t in
e&&e.ownerSVGElement===void 0,a=B(n);return{o:function(i,l){a.value=i,s=l},d:Se(function(){this.N=er;var i=a.value.value;s[t]!==i&&(s[t]=i,o?e[t]=i:i!=null&&(i!==
!1||t[4]==="-")?e.setAttribute(t,i):e.removeAttribute(t))})}}function Qa(e,t){return b(function(){return B(e,t)},[])}function Cl(){Xt(function(){for(var e;e=Ya.
shift();)Xa.call(e)})}function er(){Ya.push(this)===1&&(G.requestAnimationFrame||Dl)(Cl)}var Xa,vs,ms,Nl,Ya,Dl,tr=E(()=>{ls();vo();bo();bo();Nl=typeof window<"u"&&
!!window.__PREACT_SIGNALS_DEVTOOLS__,Ya=[];Se(function(){Xa=this.N})();Za.displayName="ReactiveTextNode";Object.defineProperties(ve.prototype,{constructor:{configurable:!0,
value:Nn(ft,null).constructor},type:{configurable:!0,value:Za},props:{configurable:!0,get:function(){var e=this;return{data:{get value(){return e.value}}}}},__b:{
configurable:!0,value:1}});Qt("__b",function(e,t){if(Cn(),vs=void 0,typeof t.type=="string"){var n,s=t.props;for(var o in s)if(o!=="children"){var a=s[o];a instanceof
ve&&(n||(t.__np=n={}),n[o]=a,s[o]=a.peek())}}e(t)});Qt("__r",function(e,t){if(e(t),t.type!==ft){Cn();var n,s=t.__c;s&&(s.__$f&=-2,(n=s.__$u)===void 0&&(s.__$u=n=
(function(o,a){var i;return Se(function(){i=this},{name:a}),i.c=o,i})((function(o){return function(){var a;Nl&&((a=this.y)==null||a.call(this)),o.__$f|=1,o.setState(
{})}})(s),typeof t.type=="function"?t.type.displayName||t.type.name:""))),vs=s,Cn(n)}});Qt("__e",function(e,t,n,s){Cn(),vs=void 0,e(t,n,s)});Qt("diffed",function(e,t){
Cn(),vs=void 0;var n;if(typeof t.type=="string"&&(n=t.__e)){var s=t.__np,o=t.props,a=n.U;if(a)for(var i in a){var l=a[i];l===void 0||s&&i in s||(l.d(),a[i]=void 0)}
if(s){a||(a={},n.U=a);for(var u in s){var c=a[u],d=s[u];c===void 0?(c=Tl(n,u,d,o),a[u]=c):c.o(d,o)}}}e(t)});Qt("unmount",function(e,t){if(typeof t.type=="string"){
var n=t.__e;if(n){var s=n.U;if(s){n.U=void 0;for(var o in s){var a=s[o];a&&a.d()}}}var i=t.__np;if(i){var l=t.props;for(var u in i)l[u]=i[u]}t.__np=void 0}else{
var c=t.__c;if(c){c.__$f|=8;var d=c.__$u;d&&(c.__$u=void 0,d.d())}}e(t)});Qt("__h",function(e,t,n,s){s<3&&(t.__$f|=2),e(t,n,s)});Jt.prototype.shouldComponentUpdate=
function(e,t){if(this.__R)return!0;var n=this.__$u,s=n&&n.s!==void 0;for(var o in t)return!0;if(this.__f||typeof this.u=="boolean"&&this.u===!0){var a=2&this.__$f;
if(!(s||a||4&this.__$f)||1&this.__$f)return!0}else if(!(s||4&this.__$f)||3&this.__$f)return!0;for(var i in e)if(i!=="__source"&&e[i]!==this.props[i])return!0;for(var l in this.
props)if(!(l in e))return!0;return!1};Dl=function(e){queueMicrotask(function(){queueMicrotask(e)})}});var r,z=E(()=>{ls();Ra();vo();tr();r=Oa.bind(Nn)});function Al(){let e={ApiRoot:"../",UiRoot:"./",ReadOnly:!1,Datacenter:"",PrimaryDatacenter:"",NodeName:"",Server:!1,ACLsEnabled:null,Version:"",DashboardURLTemplates:{}},
t=globalThis.document?.querySelector('meta[name="proconsul"]')?.getAttribute("content");return t?{...e,...JSON.parse(t)}:e}function An(e){try{return globalThis[e]??
null}catch{return null}}function In(e,t){let n=An("localStorage"),s=t;try{let a=n?.getItem(gs+e);a&&(s=JSON.parse(a))}catch{}let o=B(s);return Se(()=>{let a=JSON.
stringify(o.value);try{o.value===t?n?.removeItem(gs+e):n?.setItem(gs+e,a)}catch{}}),o}var C,_e,gs,$t,Dt,ot,Me,ys,Ct,en,O,fe=E(()=>{z();C=Al(),_e=C.Version!=="";
gs="proconsul.";$t=In("theme","auto"),Dt=In("compact",!1),ot=In("readOnly",!1),Me=Ke(()=>C.ReadOnly||ot.value),ys=In("valueView","auto"),Ct=In("remember",!1),en=
`${gs}token`,O=B(An("sessionStorage")?.getItem(en)??An("localStorage")?.getItem(en)??"");Se(()=>{let e=An("sessionStorage"),t=An("localStorage");try{O.value?e?.
setItem(en,O.value):e?.removeItem(en),O.value&&Ct.value?t?.setItem(en,O.value):t?.removeItem(en)}catch{}});Se(()=>{let e=globalThis.document?.documentElement;e&&
($t.value==="auto"?delete e.dataset.theme:e.dataset.theme=$t.value,e.dataset.density=Dt.value?"compact":"comfortable")})});function bs(e){try{return decodeURIComponent(e)}catch{return e}}function wo(e){let t=e.replace(/^#?\/?/,""),n=t.indexOf("?"),s=n<0?t:t.slice(0,n),[o="",a="",...i]=s.
split("/");return{dc:bs(o),view:bs(a)||"overview",rest:i.map(bs).join("/"),parts:i.map(bs),query:new URLSearchParams(n<0?"":t.slice(n+1))}}function X(e){return e.
split("/").map(encodeURIComponent).join("/")}function v(e,t="",n={},s=D.value.dc){let o=new URLSearchParams(Object.entries(n).filter(([,l])=>l!=="")).toString(),
a=Array.isArray(t)?t.map(encodeURIComponent).join("/"):X(t),i=`#/${encodeURIComponent(s)}/${e}${a===""?"":`/${a}`}`;return o?`${i}?${o}`:i}function nr(e){let[t="",
n="",...s]=e.replace(/^\/+/,"").split("/");if(!t)return"";let o=s.join("/"),a=`#/${t}`;switch(n){case"services":{let[i,l,u,c]=s;return s.length>=4&&s[1]==="inst\
ances"?`${a}/instance/${i}/${s[2]}/${s[3]}`:c&&l&&u?`${a}/instance/${i}/${l}/${u}`:i?`${a}/services/${i}`:`${a}/services`}case"nodes":return s[0]?`${a}/nodes/${s[0]}`:
`${a}/nodes`;case"kv":return o.endsWith("/edit")?`${a}/key/${o.slice(0,-5)}`:`${a}/kv${o?`/${o}`:""}`;case"intentions":return`${a}/intentions`;case"acls":{let i={
"auth-methods":"methods"}[s[0]??""]??s[0]??"tokens";return`${a}/${i}${s[1]?`/${s[1]}`:""}`}default:return n?`${a}/${n}`:`${a}/services`}}function tn(e){history.
replaceState(null,"",e),ws=e,D.value=wo(e)}function P(e){globalThis.location.hash=e}function V(e,t=""){let n=Ke(()=>D.value.query.get(e)??t);return{get value(){
return n.value},set value(s){let{dc:o,view:a,rest:i,parts:l,query:u}=D.peek(),c=new URLSearchParams(u);s===t?c.delete(e):c.set(e,s);let d=v(a,l,Object.fromEntries(
c),o);tn(d)}}}var ko,D,x,Ne,ws,Y=E(()=>{z();fe();ko=()=>globalThis.location?.hash??"",D=B(wo(ko())),x=Ke(()=>D.value.dc===C.Datacenter?"":D.value.dc),Ne=B(""),ws=
ko();globalThis.addEventListener?.("hashchange",()=>{let e=ko();if(e===ws)return;let t=D.peek(),n=wo(e),s=t.view!==n.view||t.rest!==n.rest||t.dc!==n.dc;if(s&&Ne.
peek()&&!globalThis.confirm(`${Ne.peek()} Leave without saving?`)){history.replaceState(null,"",ws||"#/");return}ws=e,Xt(()=>{s&&(Ne.value=""),D.value=n})});globalThis.
addEventListener?.("beforeunload",e=>{Ne.peek()&&e.preventDefault()})});function El(e,t){return e!=="GET"&&e!=="HEAD"&&!Il.some(n=>n.test(t))}function ce(e,t={},n=x.peek()){let s=[];n&&n!==C.Datacenter&&s.push(`dc=${encodeURIComponent(
n)}`);for(let[o,a]of Object.entries(t))a!==void 0&&s.push(a===!0?o:`${o}=${encodeURIComponent(String(a))}`);return s.length?`${e}${e.includes("?")?"&":"?"}${s.join(
"&")}`:e}function Ol(e){let t=decodeURIComponent(e.split("?")[0]??"").split("/");return t.every((n,s)=>n!=="."&&n!==".."&&(n!==""||s===t.length-1))}function ks(e){
return new URL(`${C.ApiRoot}v1/${e}`,globalThis.location.href.split("#")[0]).href}function ge(e,t,n){let s=["curl"];return e!=="GET"&&s.push("-X",e),O.value&&s.
push("-H",'"X-Consul-Token: $CONSUL_HTTP_TOKEN"'),n!==void 0&&s.push("--data-raw",En(typeof n=="string"?n:JSON.stringify(n))),s.push(En(ks(t))),s.join(" ")}function _s(e,t,n){
return`dig @${e} -p ${t} ${/^\w[\w.-]*$/.test(n)?n:`-q ${En(n)}`} SRV`}function En(e){return`'${e.replaceAll("'","'\\''")}'`}async function te(e,t,{params:n,body:s,
signal:o,dc:a,accept:i=[],patience:l=0,secret:u=O.peek()}={}){let c=ce(t,n,a),d=El(e,t);if(d&&Me.peek())throw new re(403,"This page is read-only.",e,c);xs(e,c,u);
let $={};u&&($["X-Consul-Token"]=u);let f=s===void 0||typeof s=="string"||s instanceof Uint8Array||s instanceof Blob;f||($["Content-Type"]="application/json");let p,
m,y=new AbortController,h=()=>y.abort(),k=l?setTimeout(h,l):0;o?.addEventListener("abort",h),o?.aborted&&h();try{p=await fetch(ks(c),{method:e,headers:$,signal:y.
signal,cache:"no-store",credentials:"same-origin",redirect:d?"manual":"follow",body:f?s:JSON.stringify(s)}),clearTimeout(k),m=await p.text()}catch(_){throw o?.aborted?
_:new re(0,"The agent does not answer.",e,c)}finally{clearTimeout(k),o?.removeEventListener("abort",h)}if(p.type==="opaqueredirect")throw new re(400,"The reques\
t was sent on to another address. Nothing was changed.",e,c);if(!p.ok&&!i.includes(p.status))throw new re(p.status,m.trim()||p.statusText,e,c);return{data:Ml(m),
text:m,status:p.status,headers:p.headers,index:Number(p.headers.get("X-Consul-Index"))||0}}function xs(e,t,n){let s=Ol(t)?/[^\x20-\x7e]/.test(n)?"This is no tok\
en: it holds characters that no header carries.":"":"No address carries this name: it has a part that is empty, . or .. between slashes.";if(s)throw Object.assign(
new re(400,s,e,""),{unsent:!0})}function Ml(e){try{return e===""?null:JSON.parse(e.replace(Rl,'$1"$2"'))}catch{return e}}async function ne(e,t){return(await te(
"GET",e,t)).data}async function*sr(e,t){let n={Range:"bytes=0-",...O.peek()?{"X-Consul-Token":O.peek()}:{}},s=await fetch(ks(e),{headers:n,signal:t,cache:"no-st\
ore"});if(!s.ok||!s.body)throw new re(s.status,(await s.text()).trim(),"GET",e);let o=s.body.getReader();for(;;){let{done:a,value:i}=await o.read();if(a)return;
yield i}}async function or(e,{params:t,signal:n,dc:s}={}){let o=ce(e,t,s);xs("GET",o,O.peek());let a=O.peek()?{"X-Consul-Token":O.peek()}:void 0,i=await fetch(ks(
o),{headers:a,signal:n,cache:"no-store"});if(!i.ok)throw new re(i.status,(await i.text()).trim(),"GET",o);return i.blob()}var re,Il,Rl,ye=E(()=>{fe();Y();re=class extends Error{unsent=!1;constructor(t,n,s,o){
super(n||`${s} ${o}: ${t||"no answer"}`),this.status=t,this.method=s,this.path=o}},Il=[/^internal\/acl\/authorize$/,/^acl\/log(in|out)$/,/^acl\/oidc\//];Rl=/("Flags":\s*)(\d{16,})/gi});function Ll(e,t){let n=Math.min(3e4,500*2**Math.min(e-1,10));return n*(.75+t*.5)>3e4?3e4:n*(.75+t*.5)}function Pl(e,t){return t<=0n||t<e?0n:t}async function*ar(e,t,n){
let s=0n,o=0,a=!0;for(;!n.aborted;){let i=await t.slot(n),l=t.now(),u;try{let p=s>0n&&i.blocks?{index:String(s),wait:"55s"}:{};u=await t.ask(e,p,n)}catch(p){if(n.
aborted)return;let m=p,y=(m.status??0)>=400&&(m.status??0)<500;o+=1,yield{kind:y?"refused":"stale",error:m},s=0n,a=!0,i.free(),await t.sleep(Ll(y?Math.max(o,5):
o,t.random()),n);continue}finally{i.free()}o=0;let c=Pl(s,u.index),d=a||c===0n||c!==s;d&&(yield{kind:"data",data:u.data,index:u.index,headers:u.headers}),a=c===
0n&&s!==0n;let $=!d&&i.blocks&&t.now()-l<200,f=c===0n&&!a||!i.blocks||$;s=c,await t.sleep(f?5e3:30+(u.size??0)/1e6*300,n)}}var rr=E(()=>{});function Kl(){let e=_o<jl,t=e;return e&&(_o+=1),{blocks:e,free(){t&&(_o-=1),t=!1}}}function Rn(){for(let e of[...xo])e()}function cr(e,t){return new Promise(n=>{
let s=()=>{clearTimeout(o),xo.delete(s),t.removeEventListener("abort",s),n()},o=setTimeout(s,e);e>100&&xo.add(s),t.addEventListener("abort",s)})}async function Fl(e,t,n,s){
let o={async ask(a,i,l){let u=await te("GET",a,{params:i,signal:l,dc:n,accept:[404],patience:On+(i.wait?55e3:0)});if(u.status===404&&!u.headers.has("X-Consul-In\
dex"))throw new re(404,u.text.trim()||"There is nothing here.","GET",a);return{status:u.status,headers:u.headers,size:u.text.length,index:BigInt(/^\d+$/.exec(u.
headers.get("X-Consul-Index")??"")?.[0]??0),data:u.status===404?null:u.data}},sleep:cr,now:Date.now,random:Math.random,slot:async()=>Kl()};for await(let a of ar(
t,o,s)){if(s.aborted)return;let i=e.peek();if(a.kind==="data")e.value={data:a.data,error:null,at:Date.now(),state:"live"},i.state==="stale"&&Rn();else{let l=a.kind===
"refused"?"refused":"stale",u=i.state==="live"?Date.now():i.at||Date.now();e.value={...i,error:a.error,state:l,at:u}}}}function Wl(){At.value=!0;for(let e of nn.
values())e();nn.clear();for(let e of Ss.keys())e.value={...e.peek(),state:"paused"}}function Bl(){if(At.peek()){At.value=!1;for(let[e,t]of Ss)nn.set(e,t())}}function So(e,t=x.
peek()){let n=B({data:void 0,error:null,at:0,state:"waiting"}),s=()=>{let o=new AbortController;return Fl(n,e,t,o.signal),()=>o.abort()};return Ss.set(n,s),Je.value=
new Map(Je.peek()).set(n,{path:ce(e,{},t),dc:t}),At.peek()||nn.set(n,s()),{live:n,stop(){nn.get(n)?.(),nn.delete(n),Ss.delete(n);let o=new Map(Je.peek());o.delete(
n),Je.value=o}}}function M(e){let t=x.value,n=O.value,s=b(()=>e?So(e,t):null,[e,t,n]);return A(()=>()=>s?.stop(),[s]),s?.live??Vl}function Z(e,t=5e3){let n=x.value,
s=O.value,o=b(()=>B({data:void 0,error:null,at:0,state:"waiting"}),[e,n,s]);return A(()=>{if(!e)return;let a=new AbortController,i=async()=>{for(;;){if(!At.peek())
try{let{data:l}=await te("GET",e,{dc:n,signal:a.signal,patience:On});o.value={data:l,error:null,at:Date.now(),state:"live"}}catch(l){if(a.signal.aborted)return;
let u=l instanceof re&&l.status>=400&&l.status<500,c=o.peek(),d=c.state==="live"?Date.now():c.at||Date.now();o.value={...c,error:l,at:d,state:u?"refused":"stale"}}
if(await cr(t,a.signal),a.signal.aborted)return}};return Je.value=new Map(Je.peek()).set(o,{path:ce(e,{},n),dc:n}),i(),()=>{a.abort();let l=new Map(Je.peek());l.
delete(o),Je.value=l}},[o]),o}var jl,ql,On,Je,lr,At,_o,xo,Ss,nn,ir,Vl,Te=E(()=>{z();ye();Y();fe();rr();jl=4,ql=6e4,On=3e4,Je=B(new Map),lr=Ke(()=>{let e=[...Je.
value.keys()].filter(t=>t.value.state==="stale").map(t=>t.value.at);return e.length?Math.min(...e):0}),At=B(!1),_o=0;xo=new Set;Ss=new Map,nn=new Map,ir=0;globalThis.
document?.addEventListener("visibilitychange",()=>{clearTimeout(ir),document.hidden?ir=setTimeout(Wl,ql):(Bl(),Rn())});globalThis.addEventListener?.("online",Rn);
Vl=B({data:void 0,error:null,at:0,state:"waiting"})});async function zl(){for(No=!0,await Promise.resolve();It.size;){let e=[...It.keys()].slice(0,Hl),t=e.map(a=>({Segment:"",...It.get(a)}));for(let a of e)It.delete(
a);let n=Mn,s;try{let{data:a}=await te("POST","internal/acl/authorize",{body:t});s=e.map((i,l)=>a?.[l]?.Allow===!0),Ee.value??=!0}catch(a){if(a instanceof re&&(a.
status===0||a.status>=500)){await new Promise(u=>{setTimeout(u,Jl)}),n===Mn&&t.forEach((u,c)=>It.set(e[c]??"",u));continue}let i=a instanceof Error?a.message:"",
l=/ACL support disabled/i.test(i);l&&(Ee.value=!1),s=e.map(()=>l)}if(n!==Mn)continue;let o=new Map(Ns.peek());e.forEach((a,i)=>o.set(a,s[i]??!1)),Ns.value=o}No=
!1}function at(e){if(Ee.value===!1)return!0;let t=Gl(e),n=Ns.value.get(t);return n===void 0&&!It.has(t)&&(It.set(t,e),No||zl()),n}function ie(e){return!Me.value&&
at(e)===!0}var Hl,Jl,Ns,It,No,Mn,Ee,Gl,Oe=E(()=>{z();ye();fe();Y();Hl=64,Jl=2e3,Ns=B(new Map),It=new Map,No=!1,Mn="",Ee=B(C.ACLsEnabled),Gl=e=>`${e.Resource}
${e.Access}
${e.Segment??""}`;Se(()=>{let e=`${O.value}
${D.value.dc}`;e!==Mn&&(Mn=e,Ns.value=new Map)})});function Le(e){if(!Number.isFinite(e))return"";if(Math.abs(e)<1e3)return`${Math.round(e)} ms`;let t=Math.floor(Math.abs(e)/1e3),n=[];for(let[s,o]of Xl){let a=Math.
floor(t/s);if(t-=a*s,a&&n.push(`${a} ${o}`),n.length===2||n.length===1&&!a)break}return(e<0?"-":"")+n.join(" ")}function Ln(e,t){return t-e<1e3?"now":`${Le(t-e)}\
 ago`}function Ts(e){if(typeof e=="number")return e/1e6;let t={h:36e5,m:6e4,s:1e3,ms:1,us:.001,µs:.001,ns:1e-6},n=e.match(/^-?(\d+(\.\d*)?(h|ms|m|s|us|µs|ns))+$/)?
e.matchAll(/(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|ns)/g):null;if(!n)return e==="0"?0:NaN;let s=0;for(let[,o,a]of n)s+=Number(o)*(t[a??""]??NaN);return e.startsWith("-")?
-s:s}function tt(e){let t=["B","kB","MB","GB","TB"],n=0;for(;e>=1e3&&n<t.length-1;)e/=1e3,n+=1;return`${n===0||e>=100?Math.round(e):e.toFixed(1)} ${t[n]}`}function S(e,t,n=`${t}\
s`){return`${e.toLocaleString("en")} ${e===1?t:n}`}function Et(e){let t=atob(e),n=new Uint8Array(t.length);for(let s=0;s<t.length;s+=1)n[s]=t.charCodeAt(s);return n}
function Ge(e){let t="";for(let n=0;n<e.length;n+=32768)t+=String.fromCharCode(...e.subarray(n,n+32768));return btoa(t)}function pt(e){try{return new TextDecoder(
"utf-8",{fatal:!0,ignoreBOM:!0}).decode(e)}catch{return null}}function sn(e,t=65536){let n=[],s=e.subarray(0,t);for(let o=0;o<s.length;o+=16){let a=[...s.subarray(
o,o+16)],i=a.map((u,c)=>(c===8?" ":"")+u.toString(16).padStart(2,"0")).join(" "),l=a.map(u=>u>=32&&u<127?String.fromCharCode(u):".").join("");n.push(`${o.toString(
16).padStart(8,"0")}  ${i.padEnd(49)} |${l}|`)}return e.length>t&&n.push(`... ${e.length-t} more bytes`),n.join(`
`)}function Ot(e){try{JSON.parse(e)}catch{return null}let t="",n=0,s=()=>`
${"  ".repeat(n)}`,o=e.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g)??[];for(let a=0;a<o.length;a+=1){let i=o[a],l=o[a+1];if(t.length>Yl)return null;i===
"{"||i==="["?l==="}"||l==="]"?(t+=i+l,a+=1):(n+=1,t+=i+s()):i==="}"||i==="]"?(n-=1,t+=s()+i):i===","?t+=i+s():t+=i===":"?": ":i}return t}function Pe(e){return/^[0-9a-f]{8}-/i.
test(e)?e.slice(0,8):e}function Q(e){return{maintenance:4,critical:3,warning:2,passing:1}[e]??0}var Xl,Yl,me=E(()=>{Xl=[[86400,"d"],[3600,"h"],[60,"min"],[1,"s"]];
Yl=8e6});function R({view:e,title:t,crumbs:n=[],actions:s,ready:o=!0,live:a,children:i}){return A(()=>{typeof t=="string"&&(document.title=`${t} · Consul`)},[t]),r`
    <main id="main" tabindex="-1" data-view=${e} data-ready=${String(o)}>
      <div class="page-head">
        ${n.length?r`<nav class="crumbs" aria-label="Path">${n.map(([l,u])=>r`<a href=${u}>${l}</a>`)}</nav>`:null}
        <h1>${t}</h1>
        <div class="actions">${s}</div>
      </div>
      ${a?r`<${To} live=${a} />`:null}
      ${i}
    </main>`}function To({live:e}){if(!e.error)return null;let{status:t,message:n,unsent:s}=e.error,o=s?"This cannot be asked for.":t===403?"This token may not \
see this.":t?`The agent answered with ${t}.`:"The agent does not answer.",a=e.state==="stale"&&e.data!==void 0?` What is shown was true ${Ln(e.at,ze.value)}.`:"";
return r`<div class="note bad" role="alert"><b>${o}</b>${a} ${n!==o?r`<span class="reason">${n}</span>`:null}
    ${t===403?r` <a href=${v("login")}>Use another token</a>`:null}</div>`}function H({status:e,text:t=e,title:n}){return r`<span class=${`status s${Q(e)}`} title=${n}><i aria-hidden="true"></i>${t}</span>`}
function ht({passing:e,warning:t,critical:n}){return r`<span class="counts">
    ${n?r`<span class="status s3" title="critical"><i aria-hidden="true"></i>${n}<span class="sr"> critical</span></span>`:null}
    ${t?r`<span class="status s2" title="warning"><i aria-hidden="true"></i>${t}<span class="sr"> warning</span></span>`:null}
    ${e||!n&&!t?r`<span class=${`status ${e?"s1":"s0"}`} title="passing"><i aria-hidden="true"></i>${e}<span class="sr"> passing</span></span>`:null}
  </span>`}function Fe({tags:e,max:t=1/0,pick:n}){let s=e??[],o=s.slice(0,t);return r`<span class="tags">
    ${o.map(a=>n?r`<button type="button" class="tag" title=${`Show only ${a}`} onClick=${()=>n(a)}>${a}</button>`:r`<span class="tag">${a}</span>`)}
    ${s.length>o.length?r`<span class="tag more" title=${s.slice(t).join(`
`)}>+${s.length-o.length}</span>`:null}
  </span>`}function W({pairs:e}){let t=e.filter(([,n])=>n!=null&&n!=="");return r`<dl class="facts">${t.map(([n,s])=>r`<div><dt>${n}</dt><dd>${s}</dd></div>`)}</dl>`}
function w({title:e,actions:t,children:n,id:s}){return r`<section class="card" id=${s}><header><h2>${e}</h2><div class="actions">${t}</div></header>${n}</section>`}
function T({children:e}){return r`<p class="empty">${e}</p>`}function Xe({at:e}){return r`<time dateTime=${new Date(e).toISOString()} title=${new Date(e).toLocaleString()}>${Ln(
e,ze.value)}</time>`}function L({text:e,label:t,block:n=!1}){let[s,o]=g(!1),i=r`<button type="button" class="quiet copy" onClick=${async()=>{await Pn(e),o(!0),setTimeout(
()=>o(!1),1500)}} aria-label=${`Copy ${n?"":e}`} title="Copy">${s?"copied":t??"copy"}</button>`;return n?r`<div class="copy-block"><pre>${e}</pre>${i}</div>`:i}
async function Pn(e){if(navigator.clipboard){await navigator.clipboard.writeText(e);return}let t=document.createElement("textarea");t.value=e,document.body.append(
t),t.select(),document.execCommand("copy"),t.remove()}function $e({data:e,label:t="JSON"}){return r`<details class="raw"><summary>${t}</summary><${L} text=${JSON.
stringify(e,null,2)} block /></details>`}function N({need:e,run:t,danger:n=!1,primary:s=!1,title:o,disabled:a=!1,children:i}){return ie(e)?r`<button type="button" data-change class=${n?
"danger":s?"primary":""} title=${o} disabled=${a} onClick=${t}>${i}</button>`:null}function q({need:e}){return ie(e)?null:r`<span class="hint">${Me.value?"read-\
only":`needs ${e.Resource}:${e.Access}`}</span>`}function mt({choice:e,tabs:t,label:n}){return r`<div class="tabs" role="group" aria-label=${n}>${t.map(([s,o])=>r`
    <button type="button" key=${s} aria-pressed=${e.value===s} onClick=${()=>{e.value=s}}>${o}</button>`)}</div>`}var ze,he=E(()=>{z();me();Oe();fe();Y();ze=B(Date.
now());setInterval(()=>{globalThis.document?.hidden||(ze.value=Date.now())},1e3)});function De(e){return Un.peek()?.resolve(!1),new Promise(t=>{Un.value={...e,resolve(n){Un.value=null,t(n)}}})}function U(e,t=!1){ur+=1;let n={text:e,bad:t,id:ur};
Rt.value=[...Rt.peek().slice(-3),n],setTimeout(()=>{Rt.value=Rt.peek().filter(s=>s!==n)},t?15e3:5e3)}async function j({method:e,path:t,params:n,body:s,shown:o=s,
done:a,question:i,refused:l}){let u=x.peek();try{if(xs(e,t,O.peek()),i&&!await De({...i,curl:ge(e,ce(t,n,u),o)}))return null;let c=await te(e,t,{params:n,body:s,
dc:u}),d=l?.(c);return U(d??a,d!==void 0),Rn(),d===void 0?c:null}catch(c){return U(c instanceof Error?c.message:String(c),!0),null}}function Ye({title:e,close:t,
children:n,wide:s=!1,class:o=""}){let a=ee(null);return A(()=>{let i=a.current;return i?.showModal(),()=>i?.close()},[]),r`
    <dialog ref=${a} class=${`dialog ${s?"wide":""} ${o}`} aria-label=${e}
        onCancel=${i=>{i.preventDefault(),t()}}
        onClick=${i=>{i.target===a.current&&t()}}>
      <div class="dialog-inside">
        <header><h2>${e}</h2><button type="button" class="quiet" aria-label="Close" onClick=${t}>✕</button></header>
        ${n}
      </div>
    </dialog>`}function Zl({asked:e}){let[t,n]=g(""),s=!e.typed||t===e.typed;return r`
    <${Ye} title=${e.title} close=${()=>e.resolve(!1)}>
      <form onSubmit=${o=>{o.preventDefault(),s&&e.resolve(!0)}}>
        ${e.body?r`<div class="prose">${e.body}</div>`:null}
        ${e.typed?r`<label class="field"><span>Type <code>${e.typed}</code> to go on</span>
          <input value=${t} autocomplete="off" spellcheck=${!1}
            onInput=${o=>n(o.target.value)} /></label>`:null}
        ${e.curl?r`<details><summary>The request</summary><${L} text=${e.curl} block /></details>`:null}
        <div class="buttons">
          <button type="button" onClick=${()=>e.resolve(!1)}>${e.cancel??"Cancel"}</button>
          <button type="submit" disabled=${!s} class=${e.danger?"danger":"primary"}>${e.confirm??"OK"}</button>
        </div>
      </form>
    <//>`}function fr(){let e=Un.value;return r`
    ${e?r`<${Zl} key=${e.title} asked=${e} />`:null}
    <div class="words" role="status" aria-live="polite">
      ${Rt.value.map(t=>r`<div key=${t.id} class=${t.bad?"word bad":"word"}>
        <span>${t.text}</span>
        <button type="button" class="quiet" aria-label="Dismiss"
          onClick=${()=>{Rt.value=Rt.peek().filter(n=>n!==t)}}>✕</button></div>`)}
    </div>`}var Un,Rt,ur,dr,we=E(()=>{z();ye();Te();Y();fe();he();Un=B(null),Rt=B([]),ur=0;dr="";Se(()=>{let{dc:e,view:t,rest:n}=D.value,s=[e,t,n].join(`
`);s!==dr&&Un.peek()?.resolve(!1),dr=s})});function pr(e,t,n,s=""){let o=!1,a=new Set;for(let[i,l]of t)a.add(i),o=$r(e,i,l,n)||o;if(s)for(let i of e.keys())i.startsWith(s)&&!a.has(i)&&(o=$r(e,i,"gone",n)||
o);return o}function $r(e,t,n,s){let o=e.get(t)??[];if(o.at(-1)?.status===n)return!1;let a=o.filter((i,l)=>(o[l+1]?.at??s)>s-Ds);return e.set(t,[...a,{at:s,status:n}].
slice(-Ql)),!0}function qn(e){return Co.value,Do.get(e)??[]}function Kn(e){pr(Do,e,Date.now())&&(Co.value+=1)}function on(e){return e.ChecksCritical?"critical":
e.ChecksWarning?"warning":"passing"}function Cs(){let e=x.value,t=`${e}
${O.value}`;if(jn?.of===t)return jn.handle.live;jn?.unsubscribe(),jn?.handle.stop();let n=So("internal/ui/services",e),s=n.live.subscribe(({data:o,state:a})=>{if(a!==
"live"||!Array.isArray(o))return;let i=o.map(l=>[Mt(e,l.Name),on(l)]);pr(Do,i,Date.now(),Mt(e,""))&&queueMicrotask(()=>{Co.value+=1})});return jn={of:t,handle:n,
unsubscribe:s},n.live}var Ds,Ql,Do,Co,Mt,Fn,jn,an=E(()=>{z();Te();Y();fe();Ds=36e5,Ql=240,Do=new Map,Co=B(0);Mt=(e,t)=>`${e}/service/${t}`,Fn=(e,t,n)=>`${e}/che\
ck/${t}/${n}`;jn=null});function Wn({changes:e,label:t,width:n=240}){let s=ze.value,o=s-Ds,a=e.map((c,d)=>({status:c.status,start:Math.max(c.at,o),end:Math.max(e[d+1]?.at??s,o)})).filter(
c=>c.end>o),i=a[0]?.start??s,l=c=>(c-o)/Ds*n,u=a.map(c=>`${c.status} for ${Le(c.end-c.start)}`).join(", then ");return r`<svg class="strip" role="img" aria-label=${`${t}\
: ${u||"not seen yet"}`} viewBox=${`0 0 ${n} 14`} width=${n} height="14" preserveAspectRatio="none">
    <rect class="t-none" x="0" y="4" width=${Math.max(0,l(i))} height="6"><title>the page was not open</title></rect>
    ${a.map(c=>r`<rect class=${`t${Q(c.status)} ${c.status==="gone"?"t-gone":""}`} x=${l(c.start)} y=${Q(c.status)>=2?0:2}
      width=${Math.max(1.5,l(c.end)-l(c.start))} height=${Q(c.status)>=2?14:10}>
      <title>${c.status} since ${new Date(c.start).toLocaleTimeString()}, for ${Le(c.end-c.start)}</title></rect>`)}
  </svg>`}function vr({servers:e}){let t=e.find(c=>c.leader),n=e.filter(c=>c!==t),[s,o,a]=[560,Math.min(170,540/Math.max(1,n.length)),24],i=n.length?172:74,l=c=>s/
2+(c-(n.length-1)/2)*o,u=`${S(e.length,"server")}, ${t?`${t.name} leads`:"nobody leads"}. ${n.map(c=>`${c.name}: ${hr(c)}`).join("; ")}`;return r`<svg class="cluster" role="img" aria-label=${u} viewBox=${`\
0 0 ${s} ${i}`}>
    ${t?n.map((c,d)=>r`<line x1=${s/2} y1=${a+26} x2=${l(d)} y2="112" class=${c.healthy?"wire":"wire broken"} stroke-width=${c.lag?1:2.5} />
      <text x=${(s/2+l(d))/2+6} y=${(a+148)/2} class="dim">${hr(c)}</text>`):null}
    ${t?r`<${mr} x=${s/2} y=${a} server=${t} width=${180} />`:r`<text x=${s/2} y="40" text-anchor="middle">no leader</text>`}
    ${n.map((c,d)=>r`<${mr} x=${l(d)} y=${120} server=${c} width=${o-12} />`)}
  </svg>`}function hr(e){return e.healthy?e.lag===null?"":e.lag===0?"level":`${S(e.lag,"entry","entries")} behind`:"unhealthy"}function mr({x:e,y:t,server:n,width:s}){
let o=Math.max(4,Math.floor(s/7.4)),a=n.name.length>o?`${n.name.slice(0,o-1)}…`:n.name;return r`<g class=${`box ${n.leader?"leads":""} ${n.voter?"":"silent"} ${n.
healthy?"":"broken"}`}>
    <rect x=${e-s/2} y=${t-18} width=${s} height="44" rx="7"><title>${n.name}</title></rect>
    <text x=${e} y=${t} text-anchor="middle">${a}</text>
    <text x=${e} y=${t+17} text-anchor="middle" class="dim">${n.leader?"leader":n.voter?"voter":"no vote"}${n.healthy?"":", unhealthy"}</text>
  </g>`}function gr({name:e,downstreams:t,upstreams:n,allowed:s}){let a=Math.max(t.length,n.length,1)*40+20,i=(d,$)=>a/2+(d-($-1)/2)*40,l=d=>({true:"allowed",false:"\
denied",null:""})[String(s(d))]??"",u=(d,$,f,p)=>d.map((m,y)=>r`
    <line x1=${f} y1=${i(y,d.length)} x2=${p} y2=${a/2} class=${s(m)===!1?"wire broken":"wire"} />
    <g class="box"><rect x=${$} y=${i(y,d.length)-15} width="170" height="30" rx="6"><title>${m.Name} ${l(m)}</title></rect>
    <text x=${$+85} y=${i(y,d.length)+4} text-anchor="middle">${m.Name.slice(0,22)}</text></g>`),c=`${e}: called by ${t.map(d=>d.Name).join(", ")||"nobody known"}\
; calls ${n.map(d=>d.Name).join(", ")||"nobody known"}`;return r`<svg role="img" aria-label=${c} viewBox=${`0 0 720 ${a}`} class="cluster">
    ${u(t,10,180,275)}${u(n,540,540,445)}
    <g class="box leads"><rect x="275" y=${a/2-18} width="170" height="36" rx="7" /><text x="360" y=${a/2+4} text-anchor="middle">${e.slice(0,22)}</text></g>
  </svg>`}var Ao=E(()=>{z();an();me();he()});var br={};Ce(br,{default:()=>yr});function yr(){let e=Cs().value,t=M("health/state/critical").value;return r`
    <${R} view="overview" title=${`Datacenter ${D.value.dc}`} ready=${e.data!==void 0||e.error!==null} live=${e}>
      <div class="cards"><${ec} /><${sc} rows=${e.data??[]} /></div>
      <${oc} live=${t} />
      <${ac} rows=${e.data??[]} />
      ${x.value?null:r`<div class="cards"><${rc} /><${lc} /></div>`}
    <//>`}function ec(){let e=at({Resource:"operator",Access:"read"}),t=Z(e?"operator/autopilot/health":"",5e3).value,n=Z(e&&_e?"operator/autopilot/state":"",5e3).
value.data,s=Z(e===!1?"status/leader":"",5e3).value.data;if(e===!1)return r`<${w} title="Servers"><${W} pairs=${[["Leader",s||"none"]]} /><p class="hint">The rest needs operator:read.</p><//>`;
let o=t.data??tc(t.error);if(!o?.Servers)return r`<${w} title="Servers"><${T}>${t.error?t.error.message:"Asking."}<//><//>`;let a=Math.max(...o.Servers.map(l=>l.
LastIndex)),i=o.Servers.map(l=>({name:l.Name,leader:l.Leader,voter:l.Voter,healthy:l.Healthy,lag:l.LastIndex?a-l.LastIndex:null,contact:l.LastContact}));return r`<${w} title="Servers" actions=${r`<a href=${v(
"operations")}>Operations</a>`}>
    <${vr} servers=${i} />
    <p data-tolerance>${nc(o,i)}</p>
    ${n?.Servers?r`<ul>${Object.values(n.Servers).map(l=>(l.Why??[]).length?r`<li><b>${l.Name}</b>: ${l.Why.join("; ")}</li>`:null)}</ul>`:null}
    ${n?.Next?r`<p class="dim">Autopilot: ${n.Next}.</p>`:null}
    <div class="scroll-x"><table class="plain"><thead><tr><th>Server</th><th>State</th><th>Behind</th><th>Last contact</th><th>Version</th></tr></thead><tbody>
      ${o.Servers.map(l=>r`<tr key=${l.ID}><td><a href=${v("nodes",[l.Name])}>${l.Name}</a>${l.Leader?r` <span class="badge">leader</span>`:l.Voter?null:r` <span class="badge">no vote</span>`}</td>
        <td><${H} status=${l.Healthy?"passing":"critical"} text=${l.Healthy?"healthy":l.SerfStatus==="alive"?"unhealthy":l.SerfStatus} /></td>
        <td>${l.LastIndex?S(a-l.LastIndex,"entry","entries"):"not known"}</td><td>${l.LastContact}</td><td>${l.Version}</td></tr>`)}</tbody></table></div>
  <//>`}function tc(e){try{return e?JSON.parse(e.message):null}catch{return null}}function nc(e,t){let n=t.filter(l=>l.voter),s=n.filter(l=>l.healthy).length,o=Math.
floor(n.length/2)+1,a=Math.max(0,s-o),i=`${S(n.length,"voter")}, ${s} healthy; a change needs ${o}.`;return s<o?`${i} There are too few: nothing can be changed \
until more are back.`:`${i} ${a===0?"If one fails, nothing can be changed":`${S(a,"more server")} may fail`}${n.length===1?": add servers, three tolerate the lo\
ss of one.":"."}`}function sc({rows:e}){let t=a=>e.filter(i=>on(i)===a).length,n=a=>e.reduce((i,l)=>i+(l[a]??0),0),s=(a,i)=>r`<div><div class="big">${a.toLocaleString(
"en")}</div>${i}</div>`,o=a=>r`<a href=${v("services","",{filter:`status:${a}`})}><${H} status=${a} /></a>`;return r`<${w} title="Services"><div class="numbers">${s(
e.length,r`<a href=${v("services")}>services</a>`)}${s(n("InstanceCount"),"instances")}
      ${s(t("critical"),o("critical"))}${s(t("warning"),o("warning"))}${s(t("passing"),o("passing"))}</div>
    <h3>Checks</h3><div class="numbers">${s(n("ChecksCritical"),r`<${H} status="critical" />`)}${s(n("ChecksWarning"),r`<${H} status="warning" />`)}${s(n("Check\
sPassing"),r`<${H} status="passing" />`)}</div><//>`}function oc({live:e}){let t=e.data??[];return r`<${w} title=${t.length?`${S(t.length,"check")} critical`:"N\
o check is critical"}>
    ${e.error?r`<${T}>${e.error.message}<//>`:null}
    ${t.length?r`<div class="scroll-x"><table class="plain"><thead><tr><th>Check</th><th>Of</th><th>Node</th><th>Output</th></tr></thead><tbody>
      ${t.slice(0,15).map(n=>r`<tr key=${`${n.Node}/${n.CheckID}`}><td>${n.Name||n.CheckID}</td>
        <td>${n.ServiceID?r`<a href=${v("instance",[n.ServiceName,n.Node,n.ServiceID])}>${n.ServiceName}</a>`:"the node"}</td>
        <td><a href=${v("nodes",[n.Node])}>${n.Node}</a></td><td class="mono">${String(n.Output??"").slice(0,160)}</td></tr>`)}</tbody></table></div>`:null}
    ${t.length>15?r`<p><a href=${v("services","",{filter:"status:critical"})}>All services with critical checks</a></p>`:null}<//>`}function ac({rows:e}){let t=x.
value,n=b(()=>e,[e]).map(s=>({name:s.Name,changes:qn(Mt(t,s.Name))})).filter(s=>s.changes.length>1).sort((s,o)=>(o.changes.at(-1)?.at??0)-(s.changes.at(-1)?.at??
0));return r`<${w} title="The last hour"><p class="hint">As far as this page was open. The last to change first.</p>
    ${n.length?r`<div class="strips">${n.slice(0,12).map(s=>r`<a href=${v("services",[s.name])}>${s.name}</a><${Wn} changes=${s.changes} label=${s.name} width=${520} />`)}</div>`:
r`<${T}>No service has changed its health.<//>`}<//>`}function rc(){let{data:e,error:t}=M("event/list").value,n=[...e??[]].reverse().slice(0,10),s=o=>o?pt(Et(o))??
"(binary)":"";return r`<${w} title="Recent events">${n.length?r`<table class="plain"><thead><tr><th>Event</th><th>Payload</th><th>For</th></tr></thead><tbody>
    ${n.map(o=>r`<tr key=${o.ID}><td>${o.Name}</td><td class="mono">${s(o.Payload).slice(0,120)}</td><td>${[o.NodeFilter,o.ServiceFilter,o.TagFilter].filter(Boolean).
join(" ")||"all"}</td></tr>`)}</tbody></table>`:r`<${T}>${t?t.message:"This agent has seen none."}<//>`}<//>`}function ic(e){if(e.renewal_failure)return e.renewal_failure.
failure_reason||"cannot be read";let t=e.days_remaining??0;return(e.seconds_remaining??0)<0?`ended ${S(-t,"day")} ago`:t<1?"today or tomorrow":`in ${S(t,"day")}`}
function lc(){let{data:e}=Z(_e?"agent/metrics/certificates":"",3e5).value;if(!e?.certificates)return null;let t=[...e.certificates].sort((s,o)=>(s.seconds_remaining??
0)-(o.seconds_remaining??0)),n={CRITICAL:"critical",WARNING:"warning",INFO:"passing"};return r`<${w} title=${`Certificates of ${C.NodeName}`}>${t.length?r`<table class="plain"><thead><tr><th>Certificate</th><th>Ends</th></tr></thead><tbody>
    ${t.map(s=>r`<tr key=${s.id}><td>${s.name} <span class="dim">${s.type} ${s.subject??""}</span></td>
      <td><${H} status=${n[s.severity]??""} text=${ic(s)} title=${s.not_after} /></td></tr>`)}</tbody></table>`:r`<${T}>This agent uses none.<//>`}<//>`}var wr=E(
()=>{z();Te();an();fe();Y();Oe();me();he();Ao()});function As(e){let t=[];for(let[,n,s,o,a]of e.matchAll(/(-?)(?:([\w.-]+):)?(?:"([^"]*)"?|(\S+))/g)){let i=(o??a??"").toLowerCase();i&&t.push({field:(s??"").toLowerCase(),
text:i,not:n==="-"})}return t}function Is(e,t){let n=e.map(({field:s,text:o,not:a})=>{let i=Object.hasOwn(t,s)?t[s]:void 0,l=i?o:`${s}:${o}`,u=i??t[""];return c=>{
let d=u?.(c)??"";return(Array.isArray(d)?d.some(f=>f.toLowerCase().includes(l)):d.toLowerCase().includes(l))!==a}});return s=>n.every(o=>o(s))}function kr(e,t){
let n=/\s/.test(t)?t.replace(/^([\w.-]+:)?(.*)$/s,'$1"$2"'):t,s=e.match(/-?(?:[\w.-]+:)?(?:"[^"]*"?|\S+)/g)??[];return s.includes(n)?s.filter(o=>o!==n).join(" "):
[...s,n].join(" ")}function Io(e,t,n=4){let s=t.indexOf(e);if(s===0)return t.length===e.length?0:1;if(s>0){for(let a=s;a>0;a=t.indexOf(e,a+1))if(!/[\p{L}\p{N}]/u.
test(t[a-1]??""))return 2;return 3}if(n<4)return-1;let o=0;for(let a of e)if(a!==" "&&(o=t.indexOf(a,o)+1,o===0))return-1;return 4}function Bn(e,t,n){let s=e.trim().
toLowerCase();if(!s)return t.slice(0,n);let o=[];for(let a of t){let i=o.length===n?o[n-1]?.worth??0:1/0,l=Io(s,a.low,Math.floor(i/1e5)),u=l*1e5+a.low.length;if(l<
0||u>=i)continue;let c=o.length;for(;c>0&&u<(o[c-1]?.worth??0);)c-=1;o.splice(c,0,{item:a,worth:u}),o.length>n&&o.pop()}return o.map(({item:a})=>a)}var Es,rn=E(
()=>{Es=new Intl.Collator("en",{numeric:!0,sensitivity:"base"}).compare});function se(e){let t=b(()=>V("filter"),[]),n=b(()=>V("sort",e.order??""),[e.order]),s=ee(!1),o=ee(new Map),a=As(t.value),i=b(()=>fc(e.rows,e,n.value),[e.rows,n.
value]),l=b(()=>a.length?i.filter(Is(a,e.fields)):[...i],[i,t.value]),u=`${t.value}
${n.value}`,c=ee(u);if(s.current&&c.current===u){let $=o.current,f=p=>$.get(e.rowKey(p))??1/0;l.sort((p,m)=>{let[y,h]=[f(p),f(m)];return y===h?0:y-h})}else c.current=
u,o.current=new Map(l.map(($,f)=>[e.rowKey($),f]));let d=$c(e);return r`
    <div class="list-tools">
      <input type="search" class="filter" value=${t.value} placeholder="Filter" aria-label=${`Filter ${e.label}`} title=${dc(e)}
        data-filter onInput=${$=>{t.value=$.target.value}}
        onKeyDown=${$=>{$.key==="Escape"&&(t.value="")}} />
      ${(e.quick??[]).map(([$,f])=>r`<button type="button" class="chip" aria-pressed=${t.value.trim()===$}
        onClick=${()=>{t.value=t.value.trim()===$?"":$}}>${f}</button>`)}
      <span class="count" aria-live="polite">${l.length===e.rows.length?S(l.length,"row"):`${l.length.toLocaleString("en")} of ${S(e.rows.length,"row")}`}</span>
      <button type="button" class="quiet density" aria-pressed=${Dt.value} title="Dense rows"
        onClick=${()=>{Dt.value=!Dt.value}}>${Dt.value?"Comfortable":"Compact"}</button>
      ${e.tools}
    </div>
    ${e.rows.length===0&&e.empty?r`<p class="empty">${e.empty}</p>`:r`
      <${pc} list=${e} rows=${l} order=${n} marks=${d} onHover=${$=>{s.current=$}} />`}`}function dc(e){let t=Object.keys(e.fields).filter(Boolean);return`Words\
 that must all occur${t.length?`; ${t.map(n=>`${n}:`).join(" ")} for one column`:""}; a minus before what must not`}function fc(e,t,n){let s=n.startsWith("-"),o=t.
columns.find(i=>i.id===n.replace(/^-/,""))?.by;if(!o)return[...e];let a=e.map(i=>[o(i),i]);return a.sort(([i],[l])=>typeof i=="number"&&typeof l=="number"?i-l:Es(
String(i),String(l))),s&&a.reverse(),a.map(([,i])=>i)}function $c({rows:e,rowKey:t,stamp:n}){let[s,o]=g(new Set),a=ee(null);return A(()=>{if(!n)return;let i=a.current;
if(a.current=new Map(e.map(c=>[t(c),n(c)])),!i?.size)return;let l=new Set([...a.current].filter(([c,d])=>i.get(c)!==d).map(([c])=>c));if(!l.size)return;o(l);let u=setTimeout(
()=>o(new Set),cc);return()=>clearTimeout(u)},[e]),s}function pc({list:e,rows:t,order:n,marks:s,onHover:o}){let{columns:a,rowKey:i,label:l,picked:u,onPick:c}=e,
d=Dt.value?26:38,$=ee(null),[f,p]=g({top:0,room:900,rushing:!1}),m=ee(0);zt(()=>{let I=$.current;if(!I)return;let ue=I.scrollTop,le=0,_n=()=>{m.current=0;let[so,
pa]=[I.scrollTop,I.clientHeight||900],ha=Math.abs(so-ue)>pa*.75;ue=so,clearTimeout(le),ha&&(le=setTimeout(_n,uc)),p({top:so,room:pa,rushing:ha})},xn=()=>{m.current||=
requestAnimationFrame(_n)};I.addEventListener("scroll",xn,{passive:!0});let $a=new ResizeObserver(xn);return $a.observe(I),()=>{I.removeEventListener("scroll",xn),
$a.disconnect(),clearTimeout(le),cancelAnimationFrame(m.current)}},[]);let y=Math.max(0,Math.min(Math.floor(f.top/d)-_r,t.length-1)),h=Math.min(t.length,Math.ceil(
(f.top+f.room)/d)+_r),k=t.slice(y,h),_=hc(k.map(i),$.current),K=a.map(I=>I.width??"1fr").join(" "),xe=a.filter(I=>!I.wide).map(I=>I.width??"1fr").join(" "),be=c?
"2rem ":"";zt(()=>{$.current?.style.setProperty("--tracks",be+K),$.current?.style.setProperty("--tracks-narrow",be+xe),$.current?.style.setProperty("--row",`${d}\
px`)},[K,xe,d,be]);let He=I=>{n.value=n.value===I.id?`-${I.id}`:I.id},ut=I=>{let ue=new Set(u);ue.delete(I)||ue.add(I),c?.(ue)},et=c&&t.length>0&&t.every(I=>u?.
has(i(I)));return r`
    <div class=${`list ${t.length<=12?"short":""}`} ref=${$} role="table" aria-label=${l} aria-rowcount=${t.length+1} tabindex="0" data-list
        onPointerEnter=${()=>o(!0)} onPointerLeave=${()=>o(!1)} onKeyDown=${I=>gc(I,d)}>
      <div role="rowgroup" class="list-head"><div role="row" class="row head" aria-rowindex="1">
        ${c?r`<span role="columnheader"><input type="checkbox" aria-label="Choose all" checked=${et}
          onChange=${()=>c(et?new Set:new Set(t.map(i)))} /></span>`:null}
        ${a.map(I=>r`
          <span role="columnheader" class=${I.wide?"wide":""} aria-sort=${xr(n.value,I.id)}>
            ${I.by?r`<button type="button" class="quiet" onClick=${()=>He(I)}>${I.title}<i aria-hidden="true">${mc[xr(n.value,I.id)??"none"]}</i></button>`:I.title}
          </span>`)}
      </div></div>
      <div role="rowgroup" class="list-rows" style=${{height:`${t.length*d}px`}}>
        ${k.map((I,ue)=>{let le=i(I);return r`
            <div role="row" key=${_.get(le)} class=${`row ${s.has(le)?"changed":""}`} data-row=${le} aria-rowindex=${y+ue+2}
                style=${{transform:`translateY(${(y+ue)*d}px)`}} onClick=${vc}>
              ${c?r`<span role="cell"><input type="checkbox" aria-label=${`Choose ${le}`} checked=${u?.has(le)} onChange=${()=>ut(le)} /></span>`:null}
              ${a.map((_n,xn)=>r`<span role="cell" class=${_n.wide?"wide":""}>${f.rushing&&xn?null:_n.cell(I)}</span>`)}
            </div>`})}
      </div>
    </div>`}function hc(e,t){let n=ee(new Map),s=ee(0),o=new Set(e),a=document.activeElement,i=t?.contains(a)?a?.closest("[data-row]")?.getAttribute("data-row"):
null,l=[...n.current].filter(([u])=>!o.has(u)&&u!==i).map(([,u])=>u).reverse();return n.current=new Map(e.map(u=>[u,n.current.get(u)??l.pop()??(s.current+=1)])),
n.current}function xr(e,t){return e===t?"ascending":e===`-${t}`?"descending":void 0}function vc(e){let t=e.target;if(t.closest("a, button, input, label, details")||
globalThis.getSelection()?.toString())return;let n=t.closest(".row")?.querySelector("a")?.getAttribute("href");n&&(globalThis.location.hash=n)}function gc(e,t){
if(e.target.matches("input:not([type=checkbox])")||e.ctrlKey||e.metaKey||e.altKey)return;let s={ArrowDown:1,j:1,ArrowUp:-1,k:-1}[e.key];if(!s)return;let o=e.currentTarget,
a=[...o.querySelectorAll(".list-rows .row")],i=a.findIndex(f=>f.contains(document.activeElement)),l=a.findIndex(f=>f.getBoundingClientRect().top>=o.getBoundingClientRect().
top+t-1),u=a[i<0?Math.max(0,l):i+s];if(!u)return;e.preventDefault(),u.querySelector("a, button")?.focus({preventScroll:!0});let[d,$]=[u.getBoundingClientRect(),
o.getBoundingClientRect()];d.top<$.top+t?o.scrollTop-=$.top+t-d.top:d.bottom>$.bottom&&(o.scrollTop+=d.bottom-$.bottom)}var _r,cc,uc,mc,We=E(()=>{z();rn();Y();fe();
me();_r=8,cc=2e3,uc=100;mc={ascending:" ↑",descending:" ↓",none:""}});function Be(e){return Array.isArray(e)?e.map(Be):e===null||typeof e!="object"?e:Object.fromEntries(Object.entries(e).map(([t,n])=>[t,yc.test(t)&&!bc.test(t)&&n?
Rs:Be(n)]))}function Ms(e){return JSON.stringify(e)!==JSON.stringify(Be(e))}function Os(e,t){if(e===Rs)return t;if(e===null||typeof e!="object")return e;let n=t!==
null&&typeof t=="object"?t:{};return Array.isArray(e)?e.map((s,o)=>Os(s,n[o])):Object.fromEntries(Object.entries(e).map(([s,o])=>[s,Os(o,n[s])]))}function Eo(e,t=""){
if(e!==null&&typeof e=="object"){let n=Object.entries(e);return n.length===0?[{name:t,value:Array.isArray(e)?"[]":"{}"}]:n.flatMap(([s,o])=>Eo(o,Array.isArray(e)?
`${t}[${s}]`:t?`${t}.${s}`:s))}return[{name:t,value:typeof e=="string"?e:JSON.stringify(e)}]}function Sr(e,t,n){let s=Date.parse(String(t?.Timestamp??"").replace(
" +0000 UTC","Z").replace(" ","T"))||n,o=[["gauge",t?.Gauges,"Value"],["counter",t?.Counters,"Count"],["sample",t?.Samples,"Mean"]];for(let[a,i,l]of o)for(let u of i??
[]){let c=Object.entries(u.Labels??{}).map(([m,y])=>`${m}=${y}`).join(" "),d=c?`${u.Name} ${c}`:u.Name,$=`${a} ${d}`,f=e.get($)??{name:d,kind:a,times:[],values:[],
last:{}};e.set($,f);let p=Number(u[l])||0;f.times.at(-1)===s?f.values[f.values.length-1]=p:(f.times.push(s),f.values.push(p)),f.times.length>wc&&(f.times.shift(),
f.values.shift()),f.last=Object.fromEntries(Object.entries(u).filter(([,m])=>typeof m=="number"))}}function Nr(e,t,n){let s=Math.min(...e),o=Math.max(...e)-s,a=e.
length>1?t/(e.length-1):0,i=l=>o?n-1-(l-s)/o*(n-2):n/2;return e.map((l,u)=>`${(u*a).toFixed(1)},${i(l).toFixed(1)}`).join(" ")}function Vn(e){let t=Math.abs(e);
return t>=1e9?`${(e/1e9).toFixed(2)} G`:t>=1e6?`${(e/1e6).toFixed(2)} M`:t>=1e4?`${(e/1e3).toFixed(1)} k`:Number.isInteger(e)?String(e):e.toFixed(t<1?4:2)}function Tr(e,t){
let n=/\[(TRACE|DEBUG|INFO|WARN|ERROR|ERR)\]/.exec(e);return n?n[1]==="ERR"?"error":n[1].toLowerCase():t}function Dr(e){let t=e.split(/\r?\n/);return[t.slice(0,
-1),t.at(-1)??""]}function vt(e){let t=Date.parse(e.ExpirationTime??"");return t>0?t:0}function ke(e,t){return Object.fromEntries(Object.entries(e??{}).filter(([
n])=>!t.includes(n)))}function Cr(e){try{let t=JSON.parse(e);return t!==null&&typeof t=="object"&&!Array.isArray(t)?{data:t,problem:""}:{data:null,problem:"This\
 is not an object: it has to begin with { and end with }."}}catch(t){return{data:null,problem:`This is not JSON: ${t instanceof Error?t.message:t}`}}}function Ls(e){
let t=e?.DebugConfig??{};return{domain:(t.DNSDomain||"consul.").replace(/\.$/,""),port:Number(/:(\d+)$/.exec(String(t.DNSAddrs?.[0]??""))?.[1]??t.DNSPort??8600)}}
var yc,bc,Rs,wc,Ze=E(()=>{yc=/secret|password|^token$|jwt$|privatekey|pemkey|bearer/i,bc=/^(JWTSupportedAlgs|BoundAudiences|MaxTokenTTL)$/,Rs="(hidden)";wc=180});var Ar={};Ce(Ar,{Check:()=>Hn,Instance:()=>Cc,Service:()=>Ro,addressOf:()=>gt,worst:()=>Lt});function Lt(e){return(e.Checks??[]).some(t=>/^_(node|service)_maintenance/.
test(t.CheckID))?"maintenance":(e.Checks??[]).reduce((t,n)=>Q(n.Status)>Q(t)?n.Status:t,"passing")}function gt(e){let t=e.Service.Address||e.Node.Address;return e.
Service.Port?`${t.includes(":")?`[${t}]`:t}:${e.Service.Port}`:t}function Ro({name:e}){let t=M(`health/service/${X(e)}`).value,n=b(()=>V("tab","instances"),[]),
s=b(()=>t.data??[],[t.data]);return A(()=>{let o=s.map(Lt).reduce((a,i)=>Q(i)>Q(a)?i:a,"passing");t.data&&Kn([[Mt(x.value,e),s.length?o:"gone"]])},[t.data]),r`
    <${R} view="service" title=${e} crumbs=${[["Services",v("services")]]} ready=${t.data!==void 0||t.error!==null} live=${t}
        actions=${r`<${Sc} name=${e} />`}>
      <div class="dim">Last hour <${Wn} changes=${qn(Mt(x.value,e))} label="Health in the last hour" width=${480} /></div>
      <${mt} choice=${n} label="What of the service" tabs=${[["instances",`Instances (${s.length})`],["checks","Checks"],["topology","Topology"],["ask","How to \
ask"],["json","JSON"]]} />
      ${n.value==="instances"?r`
        <${se} label=${`instances of ${e}`} rows=${s} rowKey=${kc} columns=${xc} fields=${_c} order="address"
          stamp=${o=>`${Lt(o)} ${gt(o)} ${o.Service.Tags}`}
          quick=${[["status:critical","critical"],["status:warning","warning"],["status:passing","passing"]]}
          empty="No instance of this service is registered, or this token may see none." />`:null}
      ${n.value==="checks"?r`<${Nc} entries=${s} />`:null}
      ${n.value==="topology"?r`<${Tc} name=${e} entries=${s} />`:null}
      ${n.value==="ask"?r`<${Dc} name=${e} entries=${s} />`:null}
      ${n.value==="json"?r`<${L} text=${JSON.stringify(t.data,null,2)} block />`:null}
    <//>`}function Sc({name:e}){let t={"Service.Name":e,"Service.Namespace":"default","Service.Partition":"default",Datacenter:D.value.dc},n=(C.DashboardURLTemplates?.
service??"").replace(/\{\{\s*([\w.]+)\s*\}\}/g,(s,o)=>encodeURIComponent(t[o]??""));return/^https?:\/\//.test(n)?r`<a class="button" href=${n} target="_blank" rel="noopener noreferrer">Dashboard</a>`:
null}function Nc({entries:e}){let n=[...new Map(e.flatMap(o=>(o.Checks??[]).map(a=>[`${a.Node}/${a.CheckID}`,a]))).values()].sort((o,a)=>Q(a.Status)-Q(o.Status)),
s=n.filter(o=>o.Status!=="passing");return r`<${w} title=${s.length?"Not passing":"All checks pass"}>
    ${(s.length?s:n).slice(0,200).map(o=>r`<${Hn} key=${`${o.Node}/${o.CheckID}`} check=${o} where />`)}
    ${n.length===0?r`<${T}>There are no checks.<//>`:null}<//>`}function Hn({check:e,where:t=!1}){let n=e.Definition??{},s=Fn(x.value,e.Node,e.CheckID);return r`<section class=${`\
check c${Q(e.Status)}`} data-check=${e.CheckID}>
    <header><h3>${e.Name||e.CheckID}</h3><${H} status=${e.Status} />
      ${t?r`<a href=${v("nodes",[e.Node])}>${e.Node}</a>`:null}
      <${Wn} changes=${qn(s)} label=${`${e.Name||e.CheckID} in the last hour`} /></header>
    <${W} pairs=${[["Id",e.CheckID],["Of",e.ServiceID||"the node"],["Type",e.Type],["Notes",e.Notes],["Every",n.Interval],["Time-out",n.Timeout],["Asks",n.HTTP||
n.TCP||n.GRPC],["Deregisters after",n.DeregisterCriticalServiceAfter],["Changed at index",e.ModifyIndex]]} />
    ${e.Output?r`<pre class="output" tabindex="0" aria-label="Output">${e.Output}</pre>`:r`<p class="hint">No output.</p>`}
  </section>`}function Tc({name:e,entries:t}){let n=t[0]?.Service.Kind??"",s=M(`internal/ui/service-topology/${X(e)}?kind=${encodeURIComponent(n)}`).value,o=s.data;
if(!o){let l=s.error?.status===404||s.error?.status===400?"This agent does not know the topology of services.":s.error?s.error.message:"Asking.";return r`<${w} title="Topology"><${T}>${l}<//><//>`}
let a=l=>l.Intention?.Allowed??null,i=(l,u)=>r`<${w} title=${u}>
    ${l.length?r`<ul>${l.map(c=>r`<li><a href=${v("services",[c.Name])}>${c.Name}</a>
      ${a(c)===null?null:r` <span class="badge">${a(c)?"allowed":"denied"}</span>`}
      <${ht} passing=${c.ChecksPassing??0} warning=${c.ChecksWarning??0} critical=${c.ChecksCritical??0} /></li>`)}</ul>`:r`<${T}>None is known.<//>`}<//>`;return r`<${w} title="Topology"><${gr} name=${e} downstreams=${o.
Downstreams??[]} upstreams=${o.Upstreams??[]} allowed=${a} /><//>
    <div class="cards">${i(o.Downstreams??[],"Called by")}${i(o.Upstreams??[],"Calls")}</div>`}function Dc({name:e,entries:t}){let n=Z("agent/self",6e5).value.data,
{domain:s,port:o}=Ls(n),a=x.value?`${x.value}.`:"",i=location.hostname||"127.0.0.1",l=[...new Set(t.flatMap(d=>d.Service.Tags??[]))].filter(d=>/^[\w-]+$/.test(d)).
slice(0,5),u=[`${e}.service.${a}${s}`,...l.map(d=>`${d}.${e}.service.${a}${s}`)],c=[`health/service/${X(e)}?passing`,`catalog/service/${X(e)}`];return r`<${w} title="DNS">${o<=
0?r`<${T}>This agent answers no DNS.<//>`:u.map(d=>r`<${L} text=${_s(i,o,d)} block />`)}<//>
    <${w} title="HTTP">${c.map(d=>r`<${L} text=${ge("GET",ce(d))} block />`)}<//>`}function Cc({parts:e}){let[t="",n="",s=""]=e,o=M(`health/service/${X(t)}`).value,
a=(o.data??[]).find(l=>l.Node.Node===n&&l.Service.ID===s);A(()=>{a&&Kn((a.Checks??[]).map(l=>[Fn(x.value,l.Node,l.CheckID),l.Status]))},[o.data]);let i=o.data!==
void 0||o.error!==null;return r`
    <${R} view="instance" title=${s||t} ready=${i} live=${o} crumbs=${[["Services",v("services")],[t,v("services",[t])]]}
        actions=${a?r`<${Ec} entry=${a} />`:null}>
      ${i&&!a?r`<div class="note warn">There is no such instance (any more). <a href=${v("services",[t])}>All instances of ${t}</a></div>`:null}
      ${a?r`<${Ac} entry=${a} />`:null}
    <//>`}function Ac({entry:e}){let{Service:t,Node:n}=e,s=t.Proxy??{},o=Object.entries(t.TaggedAddresses??{}).map(([a,i])=>`${a}: ${i.Address}:${i.Port}`);return r`<div class="cards">
    <${w} title="Instance"><${W} pairs=${[["Status",r`<${H} status=${Lt(e)} />`],["Address",r`${gt(e)} <${L} text=${gt(e)} />`],["Node",r`<a href=${v("nodes",[n.
Node])}>${n.Node}</a> ${n.Address}`],["Kind",t.Kind],["Tags",t.Tags?.length?r`<${Fe} tags=${t.Tags} />`:""],["Weights",t.Weights?`passing ${t.Weights.Passing}, \
warning ${t.Weights.Warning}`:""],["Other addresses",o.join(", ")],["Tag override",t.EnableTagOverride?"others may change the tags":""],["Created, changed",`at \
index ${t.CreateIndex}, ${t.ModifyIndex}`]]} /><//>
    <${Ic} entry=${e} />
    ${Object.keys(t.Meta??{}).length?r`<${w} title="Meta"><${W} pairs=${Object.entries(t.Meta)} /><//>`:null}
    ${s.DestinationServiceName||s.Upstreams?.length||s.Expose?.Paths?.length?r`<${w} title="Proxy"><${W} pairs=${[["Stands for",s.DestinationServiceName?r`<a href=${v(
"services",[s.DestinationServiceName])}>${s.DestinationServiceName}</a> ${s.DestinationServiceID??""}`:""],["Mode",s.Mode],...(s.Upstreams??[]).map(a=>[a.DestinationName,
`${a.DestinationType??"service"} on ${a.LocalBindAddress||"127.0.0.1"}:${a.LocalBindPort}${a.Datacenter?` in ${a.Datacenter}`:""}`]),...(s.Expose?.Paths??[]).map(
a=>[`Exposes ${a.Path}`,`port ${a.ListenerPort} to ${a.LocalPathPort}, ${a.Protocol}`])]} /><//>`:null}
  </div>
  <${w} title="Checks">${(e.Checks??[]).length?[...e.Checks].sort((a,i)=>Q(i.Status)-Q(a.Status)).map(a=>r`<${Hn} key=${a.CheckID} check=${a} />`):r`<${T}>It has no checks, so it counts as passing.<//>`}<//>
  <${$e} data=${e} />`}function Ic({entry:e}){let t=e.Node.Node===C.NodeName&&!x.value,n=(e.Checks??[]).some(l=>l.CheckID==="serfHealth"),s=Z(t&&_e?"agent/sync":
"",5e3).value.data,o=s?.Services?.[e.Service.ID],a=o?o.InSync?"the catalog has what the agent has":`not in sync: ${o.Why||o.LastError||"waiting"}${o.NextAttempt?
`, next attempt ${o.NextAttempt}`:""}`:"",i=t?s&&!o?"The catalog only: this agent does not know it and will remove it.":"This agent.":n?`The agent of ${e.Node.Node}\
, which keeps it as it is there.`:"The catalog: it was registered from outside, no agent keeps it.";return r`<${w} title="Owner"><${W} pairs=${[["Kept by",i],["\
Sync",a],["Source",e.Service.Meta?.["external-source"]]]} /><//>`}function Ec({entry:e}){let{Service:t,Node:n}=e,s=n.Node===C.NodeName&&!x.value,o={Resource:"se\
rvice",Access:"write",Segment:t.Service},a=(e.Checks??[]).some(c=>c.CheckID===`_service_maintenance:${t.ID}`),i=(e.Checks??[]).some(c=>c.CheckID==="serfHealth"),
l=()=>j({method:"PUT",path:`agent/service/maintenance/${X(t.ID)}`,params:{enable:String(!a),reason:a?void 0:"Set on the web page"},done:a?`${t.ID} answers again\
.`:`${t.ID} is in maintenance.`,question:{title:a?`End maintenance of ${t.ID}`:`Take ${t.ID} out of service`,confirm:a?"End maintenance":"Start maintenance",body:a?
"Its own checks count again.":"A critical check is added: DNS and queries for passing instances leave it out until maintenance ends. The program goes on running\
."}}),u=()=>j(s?{method:"PUT",path:`agent/service/deregister/${X(t.ID)}`,done:`${t.ID} is deregistered.`,question:{title:`Deregister ${t.ID}`,danger:!0,confirm:"\
Deregister",typed:t.ID,body:"This agent forgets the service and its checks and takes them out of the catalog. If it comes from a file, it is back at the next st\
art or reload."}}:{method:"PUT",path:"catalog/deregister",body:{Node:n.Node,ServiceID:t.ID,Datacenter:D.value.dc},done:`${t.ID} on ${n.Node} is deregistered.`,question:{
title:`Deregister ${t.ID} on ${n.Node}`,danger:!0,confirm:"Deregister",typed:t.ID,body:i?"It is taken out of the catalog, but the agent of that node keeps it an\
d will register it again within a minute or two. Deregister it there.":"It is taken out of the catalog. No agent keeps it."}});return r`<${q} need=${o} />
    ${s?r`<${N} need=${o} run=${l}>${a?"End maintenance":"Maintenance"}<//>`:null}
    <${N} need=${o} run=${u} danger>Deregister<//>`}var kc,Oo,_c,xc,Ps=E(()=>{z();Te();ye();Y();fe();an();me();Ze();he();we();We();Ao();kc=e=>`${e.Node.Node}/${e.
Service.ID}`,Oo=(e,t)=>(e.Checks??[]).filter(n=>n.Status===t).length,_c={"":e=>[gt(e),e.Node.Node,e.Service.ID,...e.Service.Tags??[]],status:Lt,node:e=>e.Node.Node,
tag:e=>e.Service.Tags??[],id:e=>e.Service.ID,address:gt,meta:e=>Object.entries(e.Service.Meta??{}).map(([t,n])=>`${t}=${n}`),output:e=>(e.Checks??[]).map(t=>t.Output??
"")},xc=[{id:"address",title:"Address",width:"minmax(8.5rem, 1.2fr)",by:gt,cell:e=>r`<a href=${v("instance",[e.Service.Service,e.Node.Node,e.Service.ID])}>${gt(
e)}</a>`},{id:"status",title:"Status",width:"7.5rem",by:e=>-Q(Lt(e)),cell:e=>r`<${H} status=${Lt(e)} />`},{id:"checks",title:"Checks",width:"7rem",wide:!0,cell:e=>r`<${ht} passing=${Oo(
e,"passing")} warning=${Oo(e,"warning")} critical=${Oo(e,"critical")} />`},{id:"node",title:"Node",width:"minmax(6rem, 1fr)",wide:!0,by:e=>e.Node.Node,cell:e=>r`<a href=${v(
"nodes",[e.Node.Node])}>${e.Node.Node}</a>`},{id:"id",title:"Id",width:"minmax(6rem, 1fr)",wide:!0,by:e=>e.Service.ID,cell:e=>e.Service.ID},{id:"tags",title:"Ta\
gs",width:"minmax(5rem, 1.5fr)",wide:!0,cell:e=>r`<${Fe} tags=${e.Service.Tags} max=${4} />`}]});var Er={};Ce(Er,{default:()=>Ir});function Ir({parts:e}){return e[0]?r`<${Ro} name=${e.join("/")} />`:r`<${Mc} />`}function Oc(e){return r`${e.Kind||""}${(e.ProxyFor??
[]).map(t=>r` <span class="badge">for ${t}</span>`)}
    ${e.ConnectedWithProxy?r` <span class="badge" title="Has a proxy of the mesh">proxied</span>`:null}
    ${e.ConnectedWithGateway?r` <span class="badge" title="Behind a gateway">gateway</span>`:null}
    ${(e.ExternalSources??[]).map(t=>r` <span class="badge" title="Registered from outside">${t}</span>`)}`}function Mc(){let e=Cs().value,t=b(()=>V("filter"),[]),
n=b(()=>e.data??[],[e.data]),s=a=>{t.value=kr(t.value,`tag:${a}`)},o=[{id:"name",title:"Service",width:"minmax(9rem, 2fr)",by:a=>a.Name,cell:a=>r`<a href=${v("s\
ervices",[a.Name])}>${a.Name}</a>`},{id:"health",title:"Checks",width:"minmax(6.5rem, 1fr)",by:a=>-Q(on(a)),cell:a=>r`<${ht} passing=${a.ChecksPassing} warning=${a.
ChecksWarning} critical=${a.ChecksCritical} />`},{id:"instances",title:"Instances",width:"5.5rem",by:a=>a.InstanceCount,cell:a=>a.InstanceCount,wide:!0},{id:"ki\
nd",title:"Kind",width:"11rem",by:a=>a.Kind??"",wide:!0,cell:Oc},{id:"tags",title:"Tags",width:"minmax(6rem, 2fr)",wide:!0,cell:a=>r`<${Fe} tags=${a.Tags} max=${6} pick=${s} />`}];
return r`
    <${R} view="services" title="Services" ready=${e.data!==void 0||e.error!==null} live=${e}>
      <${se} label="services" rows=${n} rowKey=${a=>a.Name} columns=${o} order="name" fields=${Rc}
        stamp=${a=>`${a.InstanceCount} ${a.ChecksPassing} ${a.ChecksWarning} ${a.ChecksCritical} ${a.Tags}`}
        quick=${[["status:critical","critical"],["status:warning","warning"],["status:passing","passing"]]}
        empty="No services are registered, or this token may see none." />
    <//>`}var Rc,Or=E(()=>{z();an();Y();rn();me();he();We();Ps();Rc={"":e=>[e.Name,...e.Tags??[]],name:e=>e.Name,tag:e=>e.Tags??[],status:on,kind:e=>e.Kind??"",
source:e=>e.ExternalSources??[],node:e=>e.Nodes??[]}});var jr={};Ce(jr,{default:()=>Lr,roundTripMs:()=>Lo});function Lr({parts:e}){return e[0]?r`<${jc} name=${e.join("/")} />`:r`<${Uc} />`}function Mo(e){return[...e.
Checks??[]].map(n=>n.Status).reduce((n,s)=>Q(s)>Q(n)?s:n,"passing")}function Lo(e,t){if(!e||!t||e.Vec.length!==t.Vec.length)return NaN;let n=e.Vec.reduce((a,i,l)=>a+
(i-t.Vec[l])**2,0),s=Math.sqrt(n)+e.Height+t.Height,o=s+e.Adjustment+t.Adjustment;return(o>0?o:s)*1e3}function Pr(e,t){if(t)return Rr[t.Status]??"";let n=x.value?
(e?.Checks??[]).find(s=>s.CheckID==="serfHealth"):void 0;return n?n.Status==="critical"?"failed":"alive":""}function Ur(){let e=!x.value,{data:t}=Z(e?"agent/mem\
bers":"",5e3).value;return b(()=>new Map((t??[]).map(n=>[n.Name,n])),[t])}function Uc(){let e=M("internal/ui/nodes").value,t=Ur(),n=Z("coordinate/nodes",3e4).value.
data,s=Z("status/leader",1e4).value.data,o=b(()=>{let a=new Map((n??[]).map(l=>[l.Node,l.Coord])),i=x.value?void 0:a.get(C.NodeName);return(e.data??[]).map(l=>{
let u=t.get(l.Node),c=u?.Tags??{},d=c.role==="consul"?"server":c.role==="node"?"client":"";return{...l,state:Pr(l,u),role:d,version:(c.build??l.Meta?.["consul-v\
ersion"]??"").split(":")[0],leader:d==="server"&&s===`${l.Address}:${c.port}`,rtt:Lo(i,a.get(l.Node))}})},[e.data,t,n,s]);return r`
    <${R} view="nodes" title="Nodes" ready=${e.data!==void 0||e.error!==null} live=${e}>
      <${se} label="nodes" rows=${o} rowKey=${a=>a.Node} columns=${Pc} fields=${Lc} order="name"
        stamp=${a=>`${Mo(a)} ${(a.Services??[]).length} ${a.Address}`}
        quick=${[["status:critical","critical"],["status:warning","warning"],["role:server","servers"],["state:failed","failed"]]}
        empty="There are no nodes, or this token may see none." />
    <//>`}function jc({name:e}){let t=M(`internal/ui/node/${X(e)}`).value,n=b(()=>V("tab","checks"),[]),s=Ur(),o=t.data,a=s.get(e);A(()=>{o&&Kn((o.Checks??[]).map(
u=>[Fn(x.value,u.Node,u.CheckID),u.Status]))},[o]);let i=t.data!==void 0||t.error!==null,l=Pr(o,a);return r`
    <${R} view="node" title=${e} crumbs=${[["Nodes",v("nodes")]]} ready=${i} live=${t} actions=${o?r`<${Vc} node=${o} state=${l} />`:null}>
      ${i&&!o&&!t.error?r`<div class="note warn">There is no such node, or this token may not see it.</div>`:null}
      ${o?r`
        <${w} title="Node"><${W} pairs=${[["Checks",r`<${ht} passing=${ln(o,"passing")} warning=${ln(o,"warning")} critical=${ln(o,"critical")} />`],["Gossip",l?
r`<${H} status=${Mr[l]??""} text=${l} />`:x.value?"":"no agent of this name is a member"],["Address",r`${o.Address} <${L} text=${o.Address} />`],["Other address\
es",Object.entries(o.TaggedAddresses??{}).map(([u,c])=>`${u}: ${c}`).join(", ")],["Id",o.ID],["Version",a?.Tags.build?.split(":")[0]]]} /><//>
        <${mt} choice=${n} label="What of the node" tabs=${[["checks",`Checks (${(o.Checks??[]).length})`],["services",`Services (${(o.Services??[]).length})`],
["sessions","Sessions"],["distance","Round trips"],["why","Evidence"],["meta","Meta"],["json","JSON"]]} />
        <${qc} tab=${n.value} node=${o} member=${a} />`:null}
    <//>`}function qc({tab:e,node:t,member:n}){switch(e){case"services":return r`<${Kc} node=${t} />`;case"sessions":return r`<${Fc} name=${t.Node} />`;case"dis\
tance":return r`<${Wc} name=${t.Node} />`;case"why":return r`<${Bc} name=${t.Node} member=${n} />`;case"meta":return r`<${w} title="Meta"><${W} pairs=${Object.entries(
t.Meta??{})} />${Object.keys(t.Meta??{}).length?null:r`<${T}>None.<//>`}<//>`;case"json":return r`<${L} text=${JSON.stringify(t,null,2)} block />`;default:return r`<${w} title="Checks">${(t.
Checks??[]).length?[...t.Checks].sort((s,o)=>Q(o.Status)-Q(s.Status)).slice(0,300).map(s=>r`<${Hn} key=${s.CheckID} check=${s} />`):r`<${T}>It has no checks.<//>`}<//>`}}
function Kc({node:e}){let t=s=>(e.Checks??[]).filter(o=>!o.ServiceID||o.ServiceID===s.ID).reduce((o,a)=>Q(a.Status)>Q(o)?a.Status:o,"passing"),n=[{id:"service",
title:"Service",width:"minmax(8rem, 1.5fr)",by:s=>s.Service,cell:s=>r`<a href=${v("instance",[s.Service,e.Node,s.ID])}>${s.Service}</a>`},{id:"status",title:"St\
atus",width:"7.5rem",by:s=>-Q(t(s)),cell:s=>r`<${H} status=${t(s)} />`},{id:"id",title:"Id",wide:!0,by:s=>s.ID,cell:s=>s.ID},{id:"port",title:"Port",width:"5rem",
wide:!0,by:s=>s.Port,cell:s=>s.Port||""},{id:"tags",title:"Tags",width:"1.5fr",wide:!0,cell:s=>r`<${Fe} tags=${s.Tags} max=${4} />`}];return r`<${se} label=${`s\
ervices of ${e.Node}`} rows=${e.Services??[]} rowKey=${s=>s.ID} columns=${n} order="service"
    fields=${{"":s=>[s.Service,s.ID,...s.Tags??[]],status:t,tag:s=>s.Tags??[]}} empty="No services on this node." />`}function Fc({name:e}){let t=M(`session/nod\
e/${X(e)}`).value;return r`<${w} title="Lock sessions">${(t.data??[]).length?r`<div class="scroll-x"><table class="plain"><thead><tr><th>Session</th><th>Id</th><th>TTL</th><th>On its end</th></tr></thead><tbody>
    ${t.data.map(n=>r`<tr key=${n.ID}><td><a href=${v("sessions",[n.ID])}>${n.Name||"no name"}</a></td><td class="mono">${n.ID}</td><td>${n.TTL||"none"}</td><td>${n.
Behavior}</td></tr>`)}</tbody></table></div>`:r`<${T}>${t.error?t.error.message:t.data===void 0?"Asking.":"No sessions."}<//>`}<//>`}function Wc({name:e}){let t=Z(
"coordinate/nodes",3e4).value.data,n=(t??[]).find(a=>a.Node===e)?.Coord,s=(t??[]).filter(a=>a.Node!==e).map(a=>({node:a.Node,ms:Lo(n,a.Coord)})).filter(a=>!Number.
isNaN(a.ms)).sort((a,i)=>a.ms-i.ms);if(!s.length)return r`<${w} title="Round trips"><${T}>${t?"No coordinates to compare with.":"Asking."}<//><//>`;let o=a=>s[Math.
floor((s.length-1)*a)].ms.toFixed(2);return r`<${w} title="Round trips"><p>Estimated by the nodes' coordinates: shortest ${o(0)} ms, median ${o(.5)} ms, longest ${o(
1)} ms.</p>
    <table class="plain"><thead><tr><th>Node</th><th>Round trip</th></tr></thead><tbody>${s.slice(0,50).map(a=>r`<tr key=${a.node}><td><a href=${v("nodes",[a.node])}>${a.
node}</a></td><td>${a.ms.toFixed(2)} ms</td></tr>`)}</tbody></table><//>`}function Bc({name:e,member:t}){let n=_e&&!x.value,{data:s,error:o}=Z(n&&t?`agent/membe\
rs?why=${encodeURIComponent(e)}`:"",5e3).value;return n?t?r`<${w} title=${`Why this agent holds it for ${Rr[t.Status]}`}>
    ${o?r`<${T}>${o.message}<//>`:null}
    ${(s?.Evidence??[]).length?r`<table class="plain"><thead><tr><th>When</th><th>From</th><th>What</th></tr></thead><tbody>
      ${[...s.Evidence].reverse().map(a=>r`<tr><td>${Ln(a.At*1e3,ze.value)}</td><td>${a.From}</td><td>${a.What}</td></tr>`)}</tbody></table>`:null}
    <${W} pairs=${[["Forgotten",s?.ReapAt?new Date(s.ReapAt*1e3).toLocaleString():""],["Conflict",s?.Conflict],...Object.entries(t.Tags??{})]} /><//>`:r`<${w} title="Evidence"><${T}>No member of the gossip pool has this name.<//><//>`:
r`<${w} title="Evidence"><${T}>Only a proconsul agent of the same datacenter can tell.<//><//>`}function Vc({node:e,state:t}){let n=e.Node,s=!x.value,o=()=>j({method:"\
PUT",path:`agent/force-leave/${X(n)}`,done:`${n} has been made to leave.`,question:{title:`Force ${n} to leave`,danger:!0,typed:n,confirm:"Force leave",body:"It\
s state becomes left: the leader takes it with its services and checks out of the catalog, and a server out of the peers. If the agent still runs, it will come \
back by itself."}}),a=()=>j({method:"PUT",path:"catalog/deregister",body:{Node:n,Datacenter:D.value.dc},done:`${n} is deregistered.`,question:{title:`Deregister\
 node ${n}`,danger:!0,typed:n,confirm:"Deregister",body:`Its ${(e.Services??[]).length} services and ${(e.Checks??[]).length} checks go with it. No agent keeps \
it.`}});return r`
    ${s&&t&&t!=="left"&&n!==C.NodeName?r`<${N} need=${{Resource:"operator",Access:"write"}} run=${o} danger>Force leave<//>`:null}
    ${!t||t==="left"?r`<${N} need=${{Resource:"node",Access:"write",Segment:n}} run=${a} danger>Deregister<//>`:null}`}var Rr,Mr,ln,Lc,Pc,qr=E(()=>{z();Te();ye();
Y();fe();an();me();he();we();We();Ps();Rr=["none","alive","leaving","left","failed"],Mr={alive:"passing",leaving:"warning",left:"warning",failed:"critical"};ln=
(e,t)=>(e.Checks??[]).filter(n=>n.Status===t).length;Lc={"":e=>[e.Node,e.Address,...Object.values(e.Meta??{}).map(String)],name:e=>e.Node,address:e=>e.Address,status:Mo,
service:e=>(e.Services??[]).map(t=>t.Service),meta:e=>Object.entries(e.Meta??{}).map(([t,n])=>`${t}=${n}`),state:e=>e.state,role:e=>e.role},Pc=[{id:"name",title:"\
Node",width:"minmax(8rem, 1.5fr)",by:e=>e.Node,cell:e=>r`<a href=${v("nodes",[e.Node])}>${e.Node}</a>
    ${e.leader?r` <span class="badge">leader</span>`:e.role==="server"?r` <span class="badge">server</span>`:null}`},{id:"status",title:"Checks",width:"minmax(6\
.5rem, 1fr)",by:e=>-Q(Mo(e)),cell:e=>r`<${ht} passing=${ln(e,"passing")} warning=${ln(e,"warning")} critical=${ln(e,"critical")} />`},{id:"state",title:"Gossip",
width:"7rem",wide:!0,by:e=>e.state,cell:e=>e.state?r`<${H} status=${Mr[e.state]??""} text=${e.state} />`:r`<span class="dim">no agent</span>`},{id:"address",title:"\
Address",width:"minmax(7rem, 1fr)",wide:!0,by:e=>e.Address,cell:e=>e.Address},{id:"services",title:"Services",width:"5rem",wide:!0,by:e=>(e.Services??[]).length,
cell:e=>(e.Services??[]).length},{id:"rtt",title:"Round trip",width:"6.5rem",wide:!0,by:e=>Number.isNaN(e.rtt)?1e9:e.rtt,cell:e=>Number.isNaN(e.rtt)?"":`${e.rtt.
toFixed(2)} ms`},{id:"version",title:"Version",width:"6rem",wide:!0,by:e=>e.version,cell:e=>e.version}]});function Us(e,t){let n=new Set,s=new Set;for(let a of e){if(!a.startsWith(t))continue;let i=a.indexOf("/",t.length);i<0?s.add(a):n.add(a.slice(0,i+1))}let o=(a,i)=>[
...a].sort(Es).map(l=>({key:l,name:l.slice(t.length),folder:i}));return[...o(n,!0),...o(s,!1)]}function Kr(e,t){return e.filter(n=>n.startsWith(t)).map(n=>({key:n,
name:n.slice(t.length),folder:!1}))}function Pt(e){return e.length<2?"":e.slice(0,e.lastIndexOf("/",e.length-2)+1)}function js(e){let t=[],n=Pt(e).length;for(let s=0;s<
n;){let o=e.indexOf("/",s)+1;t.push([e.slice(s,o-1),e.slice(0,o)]),s=o}return t}function Jn(e){let t=e.split("/"),n="";for(let s=0;s<t.length;s+=1){let o=t[s]??
"",a=s===t.length-1,i=Hc.exec(o)?.[0]??"";if(i==="."||i===".."||i===""&&!a)return n;if(i!==o)return n+i;n+=a?o:`${o}/`}return n}function Ue(e){return Jn(e)===e}
function oe(e,t=!1){return e.replace(t?/[^\P{C}\n\t]|[\u2028\u2029]/gu:/\p{C}|[\u2028\u2029]/gu,n=>Jc[n]??`\\u{${(n.codePointAt(0)??0).toString(16)}}`)}var Hc,Jc,
Ut=E(()=>{rn();Hc=/^(?:(?![\u{10000}-\u{10ffff}])[\p{L}\p{M}\p{N}\p{P}\p{S} ])*/u;Jc={"	":"\\t","\n":"\\n","\r":"\\r"}});function Gn(e){return{key:e.Key,bytes:Et(e.Value??""),flags:String(e.Flags??0),session:e.Session??"",created:e.CreateIndex,modified:e.ModifyIndex,locks:e.LockIndex??
0}}function cn(e,t){return e.length===t.length&&e.every((n,s)=>n===t[s])}function yt(e){let t=pt(e);return t===null||/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(t)?
null:t}function jt(e){let t=yt(e);if(t===null)return{mode:"base64",text:Ge(e),ends:`
`};let n=new Set(t.match(/\r\n|\r|\n/g)??[`
`]),[s]=n;return{mode:"text",text:t.replace(/\r\n?/g,`
`),ends:n.size>1?"mixed":s}}function qs(e,t){let n=t&&jt(t);if(t&&n&&n.mode===e.mode&&n.text===e.text&&n.ends===e.ends)return t;if(e.mode==="text")return new TextEncoder().
encode(e.ends==="mixed"?e.text:e.text.replaceAll(`
`,e.ends));let s=e.text.replace(/\s/g,"");return Yr(s)?Et(s):null}function Vr(e,t){if(!/^\s*[{[]/.test(e)&&!/\.json$/i.test(t))return"";try{return JSON.parse(e),
""}catch(n){return n instanceof Error?n.message:String(n)}}function zn(e){return/^\d{1,20}$/.test(e)&&BigInt(e)<2n**64n}function Ks(e){return JSON.stringify(e).
replace(/"Flags":"(\d+)"/g,'"Flags":$1')}function Po(e,t,n,s){return{KV:{Verb:"cas",Key:e,Value:Ge(t),Flags:n,Index:s}}}function bt(e,t,n,s){return Ue(e)?{method:"\
PUT",path:`kv/${X(e)}`,params:{cas:s,flags:n==="0"?void 0:n},body:t}:{method:"PUT",path:"txn",body:Ks([Po(e,t,n,s)])}}function Hr(e,t){return Ue(e)?{method:"DEL\
ETE",path:`kv/${X(e)}`,params:{cas:t}}:{method:"PUT",path:"txn",body:Ks([{KV:{Verb:"delete-cas",Key:e,Index:t}}])}}function Jr(e){return Ue(e)?{method:"DELETE",
path:`kv/${X(e)}?recurse`}:{method:"PUT",path:"txn",body:Ks([{KV:{Verb:"delete-tree",Key:e}}])}}function wt({method:e,path:t,params:n,body:s}){let o=s instanceof
Uint8Array?yt(s):s,a=ce(t,n);return o===null?`${ge(e,a)} --data-binary @value`:ge(e,a,o)}function Uo(e){return(e.startsWith("-")?"-- ":"")+En(e)}function jo(e,t=!1){
let n=e.flags==="0"||t?"":` -flags=${e.flags}`;return`consul kv ${t?"delete":"put"} -cas -modify-index=${e.modified}${n} ${Uo(e.key)}${t?"":" @value"}`}async function rt({
method:e,path:t,params:n,body:s},o=x.peek()){let a=await te(e,t,{params:n,body:s,dc:o,accept:t==="txn"?[409]:[]});if(a.status!==409)return a.data!==!1;let i=String(
a.data?.Errors?.[0]?.What??a.text);if(/index is stale/.test(i))return!1;throw new re(409,i,e,t)}async function Gr(e,t,n){if(Me.peek()){let{data:a}=await te("GET",
`kv/${X(Jn(t))}?recurse`,{dc:n,accept:[404]});return Array.isArray(a)?a.filter(i=>e==="get"?i.Key===t:i.Key.startsWith(t)):[]}let s=await te("PUT","txn",{dc:n,body:[
{KV:{Verb:e,Key:t}}],accept:[409]});if(s.status!==409)return(s.data?.Results??[]).map(a=>a.KV);let o=String(s.data?.Errors?.[0]?.What??s.text);if(/doesn't exist/.
test(o))return[];throw new re(/denied/i.test(o)?403:409,o,"PUT","txn")}async function qt(e,t=x.peek()){if(e==="")return null;let n=Ue(e)?(await te("GET",`kv/${X(
e)}`,{dc:t,accept:[404]})).data:await Gr("get",e,t);return Array.isArray(n)&&n[0]?Gn(n[0]):null}function Kt(e,t=!1){let n=Jn(e);return`kv/${X(n)}?keys${t&&n===e?
"&separator=/":""}`}async function Fs(e,t=x.peek()){let n=await te("GET",Kt(e),{dc:t,accept:[404]});return Array.isArray(n.data)?n.data.filter(s=>s.startsWith(e)):
[]}async function Ws(e,t=x.peek()){if(!Ue(e))return(await Gr("get-tree",e,t)).map(Gn);let n=await te("GET",`kv/${X(e)}?recurse`,{dc:t,accept:[404]});return Array.
isArray(n.data)?n.data.map(Gn):[]}function Xc(e){let[t="",...n]=e,s=t.length;for(let o of n)for(;!o.startsWith(t.slice(0,s));)s-=1;return t.slice(0,s).replace(/[\ud800-\udbff]$/,
"")}async function Yc(e,t){let n=Xc(e),s;try{s=await Fs(n,t)}catch{return new Map}let o=new Set(s),a=new Set(e.filter(l=>o.has(l))),i=new Map(e.filter(l=>!a.has(
l)).map(l=>[l,null]));if(a.size>Br&&a.size*2>=s.length)for(let l of await Ws(n,t))a.has(l.key)&&i.set(l.key,l);return i}async function qo(e,t,n=x.peek()){let s=e.
length>Br?await Yc(e,n):new Map,o=e.filter(a=>!s.has(a)).reverse();return await Promise.all(Array.from({length:zc},async()=>{for(let a=o.pop();a!==void 0;a=o.pop()){
try{s.set(a,await qt(a,n))}catch(i){throw o.length=0,new Error(`${a}: ${i instanceof Error?i.message:i}`)}t?.(s.size)}})),s}function Zc(e){let t=[],n=0;for(let s of e){
let o=(s.KV.Value?.length??0)+s.KV.Key.length,a=t.at(-1);!a||a.length>=Gc||n+o>Wr?(t.push([s]),n=o):(a.push(s),n+=o)}return t}async function Ko(e,t,n=x.peek()){
let s=0,o=[];for(let a of Zc(e)){for(;a.length;){let i=await Qc(a,n);if(!i.size){s+=a.length;break}for(let[l,u]of i)o.push({key:a[l]?.KV.Key??"",why:u});a=a.filter(
(l,u)=>!i.has(u))}t?.(s+o.length)}return{done:s,refused:o}}async function Qc(e,t){let n=o=>new Map(e.map((a,i)=>[i,o])),[s]=e;try{if(e.length===1&&s&&(s.KV.Value?.
length??0)>Wr&&Ue(s.KV.Key)){let{Key:i,Value:l="",Flags:u="0",Index:c=0}=s.KV;return await rt(bt(i,Et(l),u,c),t)?new Map:n("it has changed meanwhile")}let o=await te(
"PUT","txn",{dc:t,body:Ks(e),accept:[409]});if(o.status!==409)return new Map;let a=o.data?.Errors??[];return a.length?new Map(a.map(({OpIndex:i,What:l})=>[i,/index is stale/.
test(l)?"it has changed meanwhile":l])):n(o.text)}catch(o){return n(o instanceof Error?o.message:String(o))}}function zr(e){let t=e.map(({key:n,flags:s,bytes:o})=>({
key:n,flags:s,value:Ge(o)}));return`${JSON.stringify(t,null,"	").replace(/"flags": "(\d+)"/g,'"flags": $1')}
`}function Xr(e){let t=JSON.parse(e.replace(/^\ufeff/,"").replace(/("flags":\s*)(\d{16,})/gi,'$1"$2"'));if(!Array.isArray(t))throw new Error("The JSON is not an\
 array of keys.");let n=new Set;return t.map((s,o)=>{let a=`Entry ${o+1}`;if(typeof s!="object"||s===null||Array.isArray(s))throw new Error(`${a} is not an obje\
ct.`);let{key:i,flags:l=0,value:u=""}=Object.fromEntries(Object.entries(s).map(([c,d])=>[c.toLowerCase(),d??void 0]));if(typeof i!="string"||i==="")throw new Error(
`${a} has no key.`);if(n.has(i))throw new Error(`${a}: the key ${i} is there twice.`);if(n.add(i),!zn(String(l)))throw new Error(`${a} (${i}): flags must be a w\
hole number from 0 to 2^64-1.`);if(typeof u!="string"||!Yr(u))throw new Error(`${a} (${i}): the value is not base64.`);return{key:i,flags:String(l),bytes:Et(u)}})}
function Yr(e){return e.length%4===0&&/^[A-Za-z0-9+/]*={0,2}$/.test(e)}async function Zr(e,t){let n=await ne(`kv/${X(Jn(t))}?recurse`,{accept:[404]});return{keys:(Array.
isArray(n)?n.filter(o=>o.Session===e&&o.Key.startsWith(t)):[]).map(o=>o.Key),read:Array.isArray(n)?n.length:0}}var Fr,Gc,Wr,zc,Br,un=E(()=>{ye();Y();me();fe();Ut();
Fr=512*1024,Gc=64,Wr=38e4,zc=4,Br=8});function Qr(e){return e===""?[]:e.match(/[^\n]*\n|[^\n]+$/g)??[]}function dn(e,t){let[n,s]=[Qr(e),Qr(t)],o=0;for(;o<n.length&&o<s.length&&n[o]===s[o];)o+=1;let a=0;
for(;a<n.length-o&&a<s.length-o&&n[n.length-1-a]===s[s.length-1-a];)a+=1;let i=eu(n.slice(o,n.length-a),s.slice(o,s.length-a)),l=[...n.slice(0,o).map(u=>Ft("sam\
e",u)),...i.lines,...n.slice(n.length-a).map(u=>Ft("same",u))];return{lines:l,exact:i.exact,added:l.filter(u=>u.kind==="add").length,removed:l.filter(u=>u.kind===
"del").length}}function Ft(e,t){return t.endsWith(`
`)?{kind:e,text:t.slice(0,-1)}:{kind:e,text:t,open:!0}}function eu(e,t){let n=e.length&&t.length?tu(e,t):null;if(!n){let i=e.length===0||t.length===0;return{lines:[
...e.map(l=>Ft("del",l)),...t.map(l=>Ft("add",l))],exact:i}}let s=[],[o,a]=[e.length,t.length];for(let i=n.length-1;i>=0;i-=1){let l=o-a,u=n[i],c=l===-i||l!==i&&
Fo(u,i,l-1)<Fo(u,i,l+1),d=i===0?0:Fo(u,i,c?l+1:l-1),$=i===0?0:d-(c?l+1:l-1);for(;o>d&&a>$;)o-=1,a-=1,s.push(Ft("same",e[o]));if(i===0)break;c?s.push(Ft("add",t[a-
1])):s.push(Ft("del",e[o-1])),[o,a]=[d,$]}return{lines:s.reverse(),exact:!0}}function Fo(e,t,n){return e[n+t]??-1}function tu(e,t){let n=Math.min(e.length+t.length,
1500),s=n+1,o=new Int32Array(2*n+3).fill(-1);o[s+1]=0;let a=[],i=0;for(let l=0;l<=n;l+=1){a.push(o.slice(s-l,s+l+1));for(let u=-l;u<=l;u+=2){let[c,d]=[o[s+u-1]??
-1,o[s+u+1]??-1],$=u===-l||u!==l&&c<d?d:c+1,f=$-u;for(;$<e.length&&f<t.length&&e[$]===t[f];)$+=1,f+=1,i+=1;if(o[s+u]=$,$>=e.length&&f>=t.length)return a}if(i+=l,
i>2e7)return null}return null}function Bs(e,t=3){let n=new Uint8Array(e.length);e.forEach((o,a)=>{o.kind!=="same"&&n.fill(1,Math.max(0,a-t),a+t+1)});let s=[];return e.
forEach((o,a)=>{let i=s.at(-1);n[a]?s.push(o):i?.kind==="skip"?i.count+=1:s.push({kind:"skip",count:1})}),s}var Wo=E(()=>{});function Vo({before:e,after:t,label:n}){let[s,o]=g(!1),[a,i]=b(()=>[yt(e),yt(t)],[e,t]),l=b(()=>[Ot(a??""),Ot(i??"")],[a,i]),u=l[0]!==null&&l[1]!==null,c=b(()=>s&&
u?dn(l[0]??"",l[1]??""):a===null||i===null?dn(sn(e),sn(t)):dn(a,i),[e,t,s,u]),d=Bs(c.lines);return r`
    <div class="actions"><span class="dim">${c.added||c.removed?`${S(c.added,"line")} added, ${S(c.removed,"line")} removed`:s?"Only white space differs.":"No d\
ifference."}${c.exact?"":"; too much differs to find the least change"}</span>
      ${u?r`<label><input type="checkbox" checked=${s} onChange=${()=>o(!s)} /> compare as formatted JSON</label>`:null}</div>
    <div class="diff" role="group" aria-label=${n} tabindex="0">
      ${d.slice(0,Bo).map($=>$.kind==="skip"?r`<div class="same">@@ ${S($.count,"equal line")} @@</div>`:r`<div class=${$.kind}>${nu[$.kind]}${oe($.text,!0)}${$.
open&&$.kind!=="same"?r`<span class="dim"> (no line end)</span>`:null}</div>`)}
      ${d.length>Bo?r`<div class="same">@@ ${S(d.length-Bo,"more line")} @@</div>`:null}
    </div>`}function ei({name:e,draft:t,setDraft:n,flags:s,setFlags:o,fixed:a=!1}){let i=b(()=>qs(t),[t]),l=t.mode==="text"?Vr(t.text,e):"",u=t.mode==="text"&&!l&&
/^\s*[{[]/.test(t.text),c=()=>{if(!i)return;let $=jt(i);n(t.mode==="text"?{mode:"base64",text:Ge(i),ends:`
`}:$)},d=async $=>{let f=$.target.files?.[0];f&&n(jt(new Uint8Array(await f.arrayBuffer())))};return r`
    ${a?null:r`
      <label class="field whole"><span>Value${t.mode==="base64"?", as base64":""}</span>
        <textarea class="code" rows="14" spellcheck=${!1} autocapitalize="off" data-editor value=${t.text}
          onInput=${$=>n({...t,text:$.target.value})}></textarea></label>
      <div class="actions">
        <button type="button" disabled=${!i||t.mode==="base64"&&yt(i)===null} onClick=${c}>${t.mode==="text"?"As base64":"As text"}</button>
        <button type="button" disabled=${!u} title="Changes white space only" onClick=${()=>n({...t,text:Ot(t.text)??t.text})}>Format JSON</button>
        <label class="button">From a file<input class="sr" type="file" onChange=${d} /></label>
        <span class="dim">${i?tt(i.length):"This is not base64."}</span>
        ${t.ends===`\r
`||t.ends==="\r"?r`<span class="dim">Lines end with ${t.ends==="\r"?"CR":"CR LF"}, and will.</span>`:null}
      </div>
      ${t.ends==="mixed"?r`<p class="note warn">Some lines end with CR LF and some with LF. If you change the text, all will end with LF. As base64 they can be kept.</p>`:
null}
      ${l?r`<p class="note warn">This is not JSON as it stands: ${l}</p>`:null}
      ${i&&i.length>Fr?r`<p class="note bad">The value has ${i.length.toLocaleString("en")} bytes. An agent takes 524,288 unless it is configured otherwise.</p>`:
null}`}
    <label class="field"><span>Flags, a number the agent keeps with the value</span>
      <input inputmode="numeric" value=${s} onInput=${$=>o($.target.value.trim())} /></label>
    ${zn(s)?null:r`<p class="note bad">Flags are a whole number from 0 to 18446744073709551615.</p>`}`}function su({name:e,from:t,theirs:n,mine:s,flags:o,keep:a,
take:i,close:l}){let u=n&&n.flags!==t.flags;return r`
    <${Ye} title="This key was changed while you edited it" close=${l} wide>
      <div data-conflict>
      <p>Nothing of yours has been written. ${n?r`You have read index ${t.modified}; now it is ${n.modified}.`:r`The key <code>${oe(e)}</code> has been deleted.`}</p>
      ${n?r`
        <h3>What they changed since you read it</h3>
        <${Vo} before=${t.bytes} after=${n.bytes} label="What they changed" />
        ${u?r`<p>Flags: ${t.flags} then, ${n.flags} now.</p>`:null}
        <h3>What yours would change in theirs</h3>
        <${Vo} before=${n.bytes} after=${s} label="What yours would change" />
        ${o!==n.flags?r`<p>Flags: ${n.flags} theirs, ${o} yours.</p>`:null}`:null}
      <div class="buttons">
        <button type="button" data-edit-on onClick=${l}>Go on editing</button>
        <button type="button" data-take-theirs onClick=${i}>${n?"Take theirs":"Leave it deleted"}</button>
        <${N} need=${{Resource:"key",Access:"write",Segment:e}} run=${a} danger><span data-keep-mine>${n?"Keep mine":"Create it with mine"}</span><//>
      </div></div>
    <//>`}function ti({base:e,live:t,close:n}){let s=e.key,[o,a]=g(e),[i,l]=g(()=>jt(e.bytes)),[u,c]=g(e.flags),[d,$]=g(!1),[f,p]=g(!1),[m,y]=g(null),h=b(()=>qs(
i,o.bytes),[i,o]),k=!h||!cn(h,o.bytes)||u!==o.flags;A(()=>(Ne.value=k?`Your change of ${s} is not saved.`:"",()=>{Ne.value=""}),[k]);let _=ee(null);A(()=>{_.current?.
querySelector(d?".diff":"[data-editor]")?.focus()},[d]),A(()=>()=>document.getElementById("main")?.focus({preventScroll:!0}),[]);let K=t===null||t&&t.modified>o.
modified&&!ni(t,o),xe=I=>{a(I),l(jt(I.bytes)),c(I.flags),$(!1)},be=async(I,ue=o.modified)=>{if(!(!h||f)){p(!0);try{let le=await ou(o,h,u,ue);if("theirs"in le){y(
{pair:le.theirs});return}U(`Key ${s} saved.`),y(null),$(!1),I?a(le.now):n()}catch(le){U(kt(le),!0)}finally{p(!1)}}},He=()=>{m?.pair&&xe(m.pair),y(null),m?.pair||
n()},ut=h!==null&&zn(u),et={Resource:"key",Access:"write",Segment:s};return r`
    <section class="card" data-editing ref=${_}>
      <header><h2>${d?"What will change":"Edit"}</h2></header>
      ${K?r`<div class="note warn" role="alert"><b>${t?"This key has just been changed elsewhere.":"This key has just been deleted elsewhere."}</b> What you edit is untouched.
        <button type="button" data-compare onClick=${()=>y({pair:t??null})}>Compare</button></div>`:null}
      ${d&&h?r`
        <${Vo} before=${o.bytes} after=${h} label="What will change" />
        ${u===o.flags?null:r`<p>Flags: ${o.flags} before, ${u} after.</p>`}
        <details><summary>The request</summary><${L} text=${wt(bt(s,h,u,o.modified))} block /></details>
        <p class="hint">It is written only if the key is still as it was read, at index ${o.modified}.</p>`:r`<${ei} name=${s} draft=${i} setDraft=${l} flags=${u} setFlags=${c} />`}
      <div class="buttons">
        <button type="button" disabled=${f} onClick=${()=>d?$(!1):n()}>${d?"Back":"Cancel"}</button>
        ${d?r`
          <${N} need=${et} disabled=${f||!ut} run=${()=>be(!0)}>Save and go on editing<//>
          <${N} need=${et} disabled=${f||!ut} run=${()=>be(!1)} primary>Save<//>`:r`<button type="button" class="primary" data-review disabled=${!k||!ut} onClick=${()=>$(
!0)}>${k?"Review":"Nothing changed"}</button>`}
      </div>
      ${m?r`<${su} name=${s} from=${o} theirs=${m.pair} mine=${h??o.bytes} flags=${u} close=${()=>y(null)}
        keep=${()=>be(!1,m.pair?.modified??0)} take=${He} />`:null}
    </section>`}function ni(e,t){return e.flags===t.flags&&cn(e.bytes,t.bytes)}async function ou(e,t,n,s){let o=x.peek(),a=await rt(bt(e.key,t,n,s),o);if(!a){let l=await qt(
e.key,o);if(l&&s===e.modified&&ni(l,e)&&(a=await rt(bt(e.key,t,n,l.modified),o)),!a)return{theirs:await qt(e.key,o)}}let i=await qt(e.key,o);return{now:i&&i.flags===
n&&cn(i.bytes,t)?i:{...e,bytes:t,flags:n}}}function Vs({prefix:e,copy:t,close:n}){let[s,o]=g(e),[a,i]=g(()=>jt(t?.bytes??new Uint8Array)),[l,u]=g(t?.flags??"0"),
[c,d]=g(""),[$,f]=g(!1),p=t?t.bytes:qs(a),m=ee(null);A(()=>{m.current?.focus(),m.current?.setSelectionRange(s.length,s.length)},[]);let y=s!==""&&p!==null&&zn(l),
h=p?bt(s,p,l,0):null,k=async _=>{if(_.preventDefault(),!(!y||!h||$)){f(!0);try{await rt(h)?(U(`Key ${s} created.`),n(),P(v("key",s))):d("There is a key of this \
name already. Nothing was written.")}catch(K){d(kt(K))}finally{f(!1)}}};return r`
    <${Ye} title=${t?`Copy ${oe(t.key)}`:"New key"} close=${n} wide>
      <form onSubmit=${k}>
        <label class="field whole"><span>Name, with slashes for folders</span>
          <input value=${s} autocomplete="off" spellcheck=${!1} data-name ref=${m} onInput=${_=>{o(_.target.value),d("")}} /></label>
        <${ei} name=${s} draft=${a} setDraft=${i} flags=${l} setFlags=${u} fixed=${!!t} />
        ${c?r`<p class="note bad" role="alert">${c}</p>`:null}
        ${s&&h?r`<details><summary>The request</summary><${L} text=${wt(h)} block /></details>`:null}
        <div class="buttons"><button type="button" onClick=${n}>Cancel</button>
          <button type="submit" class="primary" data-change disabled=${!y||$}>Create</button></div>
      </form>
    <//>`}var Bo,nu,kt,Ho=E(()=>{z();Wo();me();un();Y();Ut();he();we();Bo=3e3,nu={same:"  ",add:"+ ",del:"- "},kt=e=>e instanceof Error?e.message:String(e)});var ii={};Ce(ii,{Invalidate:()=>Js,default:()=>ri,sessionName:()=>Xn});function Xn(e){return e.Name?`${e.Name} (${Pe(e.ID)})`:e.ID}function Hs(e){return[...new Set(
[...e.NodeChecks??[],...(e.ServiceChecks??[]).map(t=>t.ID),...e.Checks??[]])]}function oi(e){return e.TTL&&Ts(e.TTL)||0}function ai(e){return e.Behavior==="dele\
te"?"Every key it holds is deleted with its value.":`Every key it holds is released and keeps its value.${e.LockDelay?` For ${Le(e.LockDelay/1e6)} nobody can lo\
ck them again.`:""}`}function Js({session:e}){let t=()=>void j({method:"PUT",path:`session/destroy/${X(e.ID)}`,done:`Session ${Xn(e)} ended.`,question:{title:`I\
nvalidate session ${Xn(e)}`,danger:!0,confirm:"Invalidate",body:r`<p>${ai(e)}</p><p>Whoever made it, on node ${e.Node}, finds out when it next uses it.</p>`}});
return r`<${N} need=${si(e)} danger run=${t}>Invalidate<//><${q} need=${si(e)} />`}function ri({parts:[e=""]}){return e?r`<${ru} id=${e} />`:r`<${au} />`}function au(){
let e=M("session/list").value,t=b(()=>e.data??[],[e.data]),n=[{id:"name",title:"Session",width:"minmax(9rem, 2fr)",by:s=>s.Name||s.ID,cell:s=>r`<a href=${v("ses\
sions",[s.ID])} title=${s.ID}>${s.Name?r`${oe(s.Name)} <span class="dim mono">${Pe(s.ID)}</span>`:Pe(s.ID)}</a>`},{id:"node",title:"Node",width:"minmax(6rem, 1f\
r)",by:s=>s.Node,cell:s=>r`<a href=${v("nodes",[s.Node])}>${s.Node}</a>`},{id:"ttl",title:"TTL",width:"6rem",by:oi,cell:s=>s.TTL||r`<span class="dim">none</span>`},
{id:"behaviour",title:"At its end",width:"8rem",by:s=>s.Behavior,wide:!0,cell:s=>`${s.Behavior}s keys`},{id:"delay",title:"Lock delay",width:"7rem",by:s=>s.LockDelay,
wide:!0,cell:s=>Le(s.LockDelay/1e6)},{id:"checks",title:"Checks",width:"minmax(6rem, 1fr)",wide:!0,by:s=>Hs(s).length,cell:s=>Hs(s).join(", ")||r`<span class="dim">none</span>`},
{id:"created",title:"Created at index",width:"10rem",wide:!0,by:s=>s.CreateIndex,cell:s=>s.CreateIndex}];return r`
    <${R} view="sessions" title="Sessions" ready=${e.data!==void 0||e.error!==null} live=${e}>
      ${e.data===void 0?null:r`<${se} label="sessions" rows=${t} rowKey=${s=>s.ID} columns=${n} order="-created"
        fields=${{"":s=>[s.Name,s.ID,s.Node],name:s=>s.Name,node:s=>s.Node,check:Hs,end:s=>s.Behavior}}
        quick=${[["end:delete","deletes keys"]]}
        empty="There are no sessions, or this token may see none. They are made by whatever takes locks: consul lock, or a client of its own." />`}
    <//>`}function ru({id:e}){let t=M(`session/info/${X(e)}`).value,n=t.data?.[0],s=t.data!==void 0||t.error!==null;return r`
    <${R} view="sessions" title=${n?n.Name||Pe(e):Pe(e)} crumbs=${[["Sessions",v("sessions")]]}
      ready=${s} live=${t} actions=${n?r`<${Js} session=${n} />`:null}>
      ${t.data!==void 0&&!n?r`<${T}>This session has ended, or this token may not see it.<//>`:null}
      ${n?r`
        <div class="cards">
          <${w} title="Session">
            <${W} pairs=${[["Id",r`<code>${n.ID}</code> <${L} text=${n.ID} />`],["Name",n.Name],["Node",r`<a href=${v("nodes",[n.Node])}>${n.Node}</a>`],["At it\
s end",ai(n)],["Lock delay",Le(n.LockDelay/1e6)],["Created",`at index ${n.CreateIndex}`]]} />
          <//>
          <${iu} session=${n} />
        </div>
        <${lu} session=${n} />
        <${$e} data=${n} />`:null}
    <//>`}function iu({session:e}){let t=Hs(e),n=M(t.length?`health/node/${X(e.Node)}`:"").value,s=n.data??[];return r`
    <${w} title="What holds it alive">
      ${e.TTL?r`<p>Whoever made it must renew it within ${Le(oi(e))}. The cluster ends it after that time, at the latest after twice that.</p>`:null}
      ${t.length?r`<p>It ends as soon as one of these checks is critical or gone:</p>
        <ul class="plain-list">${t.map(o=>{let a=s.find(i=>i.CheckID===o);return r`<li key=${o}>${n.data===void 0?null:a?r`<${H} status=${a.Status} />`:r`<span class="dim">not found</span>`} ${a?.
Name??o}${a?.ServiceName?r` of <a href=${v("services",[a.ServiceName])}>${a.ServiceName}</a>`:null}</li>`})}</ul>`:null}
      ${!e.TTL&&!t.length?r`<p>Nothing: it lasts until it is ended or its node is taken out of the catalog.</p>`:null}
    <//>`}function lu({session:e}){let[t,n]=g(""),[s,o]=g(null),[a,i]=g(!1);return r`
    <${w} title="Keys it holds">
      <form class="actions" onSubmit=${async u=>{u.preventDefault(),i(!0);try{o(await Zr(e.ID,t))}catch(c){U(c instanceof Error?c.message:String(c),!0)}finally{
i(!1)}}}>
        <label>Below <input value=${t} placeholder="all keys" aria-label="Prefix of the keys to look at" spellcheck=${!1} autocomplete="off"
          onInput=${u=>n(u.target.value)} /></label>
        <button type="submit" disabled=${a}>${a?"Reading":"Look for them"}</button>
        <span class="hint">The agent keeps no list by session, so all keys below are read, values too.</span>
      </form>
      <div aria-live="polite">${s?r`
        <p>${S(s.keys.length,"key")} of ${s.read.toLocaleString("en")} read.</p>
        <ul class="plain-list">${s.keys.slice(0,500).map(u=>r`<li key=${u}><a class="key-name" href=${v("key",u)}>${oe(u)}</a></li>`)}</ul>
        ${s.keys.length>500?r`<p class="dim">The first 500 are shown.</p>`:null}`:null}</div>
    <//>`}var si,Jo=E(()=>{z();ye();me();un();Te();Y();Ut();he();we();We();si=e=>({Resource:"session",Access:"write",Segment:e.Node})});var ci={};Ce(ci,{default:()=>li,download:()=>Gs});function cu(e){let t=e!==""&&Ue(e),n=M(t?`kv/${X(e)}`:Kt(e)).value,[s,o]=g({});A(()=>{if(t||n.data===void 0)return;
let i=!0;return qt(e).then(l=>{i&&o({pair:l})},l=>{i&&o({error:l})}),()=>{i=!1}},[n.data]);let a=b(()=>n.data===void 0?void 0:n.data?.[0]?.Key===e?Gn(n.data[0]):
null,[n.data]);return t?{pair:a,live:n}:{pair:s.pair,live:s.error?{...n,error:s.error}:n}}function li({rest:e}){let{pair:t,live:n}=cu(e),[s,o]=g(null),[a,i]=g(!1),
l={Resource:"key",Access:"write",Segment:e},u=[["Keys",v("kv")],...js(e).map(([d,$])=>[oe(d)||"(empty)",v("kv",$)])],c=t&&!s?r`
    <${q} need=${l} />
    <${N} need=${l} primary run=${()=>o(t)}>Edit<//>
    <${N} need=${{...l,Segment:Pt(e)}} run=${()=>i(!0)}>Copy to a new key<//>
    <${N} need=${l} danger run=${()=>uu(t)}>Delete<//>`:null;return r`
    <${R} view="key" title=${oe(e)||"(empty)"} crumbs=${u} actions=${c} live=${n} ready=${t!==void 0||n.error!==null}>
      ${s?r`<${ti} base=${s} live=${t} close=${()=>o(null)} />`:null}
      ${t&&!s?r`<${$u} pair=${t} />`:null}
      ${t?r`<${pu} pair=${t} />`:null}
      ${t===null&&!s?r`
        <${T}>There is no key of this name, or this token may not read it.<//>
        <div class="actions"><a class="button" href=${v("kv",e.endsWith("/")?e:Pt(e))}>What is in its folder</a>
          ${e?r`<${N} need=${l} run=${()=>i(!0)}>Create it<//>`:null}</div>`:null}
      ${a?r`<${Vs} prefix=${e} copy=${t??void 0} close=${()=>i(!1)} />`:null}
    <//>`}async function uu(e){let t=Hr(e.key,e.modified),n=e.session?" A session holds it; deleting it ends that lock.":"";if(await De({title:`Delete key ${oe(
e.key)}`,danger:!0,confirm:"Delete",curl:wt(t),body:`Its value of ${tt(e.bytes.length)} is lost. It is deleted only if it is still as shown, at index ${e.modified}\
.${n}`}))try{await rt(t)?(U(`Key ${e.key} deleted.`),P(v("kv",Pt(e.key)))):U(`Key ${e.key} has changed meanwhile and was not deleted.`,!0)}catch(s){U(kt(s),!0)}}
function du(e){let t=yt(e);return t===null?"hex":/^\s*[{[]/.test(t)&&Ot(t)!==null?"json":"text"}function fu(e,t){if(t==="base64")return{text:Ge(e),note:""};if(t===
"hex")return{text:sn(e),note:""};let n=pt(e);if(n===null)return{text:sn(e),note:"This is no text in UTF-8, so it is shown in hex."};if(t==="text")return{text:oe(
n,!0),note:""};let s=Ot(n);return s===null?{text:oe(n,!0),note:"This is not JSON, or nested too deep to be formatted, so it is shown as text."}:{text:oe(s,!0),note:"\
Formatted for reading. The stored bytes are as they were written."}}function $u({pair:e}){let[t,n]=g(!1),s=du(e.bytes),o=ys.value==="auto"?s:ys.value,{text:a,note:i}=b(
()=>fu(e.bytes,o),[e.bytes,o]),l={json:"JSON",text:"text",hex:"hex"},u=b(()=>pt(e.bytes)??Ge(e.bytes),[e.bytes]);return r`
    <${w} title="Value" actions=${r`<button type="button" class="quiet" onClick=${()=>Gs(e.bytes,e.key.split("/").at(-1)||"value")}>Download</button>
        <${L} text=${u} label=${pt(e.bytes)===null?"copy base64":"copy"} />`}>
      <${mt} choice=${ys} label="How to read it" tabs=${[["auto",`Auto (${l[s]})`],["text","Text"],["json","JSON"],["hex","Hex"],["base64","Base64"]]} />
      ${i?r`<p class="hint">${i}</p>`:null}
      ${e.bytes.length?r`<pre class=${`value ${a.startsWith("00000000  ")?"hex":""}`} data-value tabindex="0" aria-label="Value">${t?a:a.slice(0,Go)}</pre>`:r`<${T}>The value is empty.<//>`}
      ${a.length>Go&&!t?r`<p><button type="button" onClick=${()=>n(!0)}>Show all ${a.length.toLocaleString("en")} characters</button> <span class="dim">The first ${Go.
toLocaleString("en")} are shown.</span></p>`:null}
    <//>`}function Gs(e,t){let n=document.createElement("a");n.href=URL.createObjectURL(new Blob([e],{type:"application/octet-stream"})),n.download=t,n.click(),
setTimeout(()=>URL.revokeObjectURL(n.href),1e4)}function pu({pair:e}){let{key:t,flags:n}=e,s=Uo(t),o=Ue(t)?ge("GET",ce(`kv/${X(t)}?raw`)):ge("PUT",ce("txn"),[{KV:{
Verb:"get",Key:t}}]),a=bt(t,new Uint8Array([0]),n,e.modified);return r`
    <div class="cards">
      <${w} title="About this key">
        <${W} pairs=${[["Size",`${e.bytes.length.toLocaleString("en")} bytes`],["Flags",n==="0"?"0":`${n} (0x${BigInt(n).toString(16)})`],["Created",`at index ${e.
created}`],["Changed",r`at index <span data-modified>${e.modified}</span>`],["Locked",e.locks===0?"never":`${S(e.locks,"time")} so far`]]} />
        <h3>Lock</h3>
        ${e.session?r`<${hu} key=${e.session} id=${e.session} />`:r`<${T}>No session holds it.<//>`}
      <//>
      <${w} title="In a terminal">
        <${L} text=${o} block />
        ${Ue(t)?r`
          <${L} text=${`consul kv get -detailed ${s}`} block />
          <details><summary>Changing it</summary>
            <${L} text=${wt(a)} block /><${L} text=${jo(e)} block /><${L} text=${jo(e,!0)} block /></details>`:r`<p class="hint">No path of a request carries this name unchanged, so the command line does not reach the key. A transaction does.</p>`}
      <//>
    </div>`}function hu({id:e}){let t=M(`session/info/${encodeURIComponent(e)}`).value,n=t.data?.[0];return r`
    <${W} pairs=${[["Session",r`<a href=${v("sessions",[e])}>${n?Xn(n):e}</a>`],["Node",n?r`<a href=${v("nodes",[n.Node])}>${n.Node}</a>`:""]]} />
    ${t.data!==void 0&&!n?r`<${T}>This token may not see the session.<//>`:null}
    ${n?r`<div class="buttons left"><${Js} session=${n} /></div>`:null}`}var Go,zo=E(()=>{z();ye();me();un();Te();Y();fe();Ut();he();we();Ho();Jo();Go=1e5});var fi={};Ce(fi,{default:()=>ui});function ui({rest:e}){let t=b(()=>V("flat"),[]),n=t.value==="1",s=M(Kt(e,!n)).value,o=b(()=>(n?Kr:Us)(s.data??[],e),[s.data,n]),
[a,i]=g(new Set),[l,u]=g(""),c={Resource:"key",Access:"write",Segment:e},d=js(e).map(([m,y])=>[oe(m)||"(empty)",v("kv",y)]),$=()=>u(""),f=()=>{i(new Set),t.value=
n?"":"1"},p=r`
    <${q} need=${c} />
    <${N} need=${c} primary run=${()=>u("new")}>New key<//>
    <${N} need=${c} run=${()=>u("import")}>Import<//>
    ${e?r`<${N} need=${{...c,Access:"write-prefix"}} danger run=${()=>bu(e)}>Delete folder<//>`:null}`;return r`
    <${R} view="kv" title=${oe(e)||"Keys"} crumbs=${e?[["Keys",v("kv")],...d]:[]} actions=${p}
        live=${s} ready=${s.data!==void 0||s.error!==null}>
      ${s.data===void 0?null:r`<${se} label="keys" rows=${o} rowKey=${m=>m.key} stamp=${m=>m.key} columns=${mu(e,n)}
        fields=${{"":m=>m.name||m.key,is:m=>m.folder?"folder":"key"}}
        picked=${a} onPick=${i}
        tools=${r`<button type="button" class="chip" data-flat aria-pressed=${n} title="Every key below, without folders" onClick=${f}>Flat</button>
          <${vu} prefix=${e} flat=${n} picked=${a} clear=${()=>i(new Set)} some=${o.length>0} />`}
        empty=${e?"There are no keys below this prefix, or this token may see none.":"There are no keys yet, or this token may see none."} />`}
      ${l==="new"?r`<${Vs} prefix=${e} close=${$} />`:null}
      ${l==="import"?r`<${wu} close=${$} />`:null}
    <//>`}function mu(e,t){return[{id:"name",title:t&&e?`Key below ${oe(e)}`:"Name",width:"minmax(0, 1fr)",cell:n=>{let s=n.folder?v("kv",n.key,t?{flat:"1"}:{}):
v("key",n.key);return r`<a class=${`key-name ${n.folder?"folder":""}`} href=${s}>${n.name?oe(n.name):oe(n.key)}</a>${n.name?null:r` <span class="badge">the key named as the folder</span>`}`}},
{id:"is",title:"Is a",width:"5rem",wide:!0,cell:n=>r`<span class="dim">${n.folder?"folder":"key"}</span>`}]}function vu({prefix:e,flat:t,picked:n,clear:s,some:o}){
let[a,i]=g(""),l=m=>!t&&m.endsWith("/")&&m!==e,u=[...n].filter(l),c=[...n].filter(m=>!l(m)),d=[...n].slice(0,64).every(m=>ie({Resource:"key",Access:l(m)?"write-\
prefix":"write",Segment:m})),$=async m=>{try{await m()}catch(y){U(kt(y),!0)}finally{i("")}},f=()=>$(async()=>{i("Reading");let m=n.size?await gu(u,c,y=>i(`Read ${y}`),
x.peek()):await Ws(e);Gs(zr(m),`consul-kv-${(e||"all").replace(/[^\w.-]+/g,"-").replace(/-$/,"")}.json`),U(`${S(m.length,"key")} exported.`)}),p=()=>$(async()=>{
let m=x.peek(),y=(await Promise.all(u.map(K=>Fs(K,m)))).flat(),h=[...new Set([...y,...c])];if(m!==x.peek()||!await yu(h,u))return;let{done:k,refused:_}=await Ko(
h.map(K=>({KV:{Verb:"delete",Key:K}})),K=>i(`Deleted ${K}`),m);s(),di("deleted",k,_)});return r`
    ${n.size?r`<span class="count">${S(n.size,"chosen","chosen")}</span>`:null}
    ${o?r`<button type="button" data-export disabled=${a!==""} title="As the JSON of consul kv export" onClick=${f}>${n.size?"Export chosen":"Export all below"}</button>`:
null}
    ${n.size&&d?r`<button type="button" class="danger" data-change data-delete-chosen disabled=${a!==""} onClick=${p}>Delete chosen</button>`:null}
    ${n.size?r`<button type="button" class="quiet" onClick=${s}>Choose none</button>`:null}
    <span class="dim" aria-live="polite">${a}</span>`}async function gu(e,t,n,s){let o=new Map;for(let a of e){for(let i of await Ws(a,s))o.set(i.key,i);n(o.size)}
for(let[a,i]of await qo(t.filter(l=>!o.has(l)),n,s))i&&o.set(a,i);return[...o.values()].sort((a,i)=>a.key<i.key?-1:1)}function di(e,t,n){let s=n.slice(0,5).map(
({key:a,why:i})=>`${a}: ${i}`),o=n.length>s.length?` and ${n.length-s.length} more`:"";U(`${S(t,"key")} ${e}.${n.length?` ${S(n.length,"key")} not: ${s.join("; ")}${o}\
.`:""}`,n.length>0)}async function yu(e,t){return e.length?De({title:`Delete ${S(e.length,"key")}`,danger:!0,confirm:`Delete ${S(e.length,"key")}`,typed:`delete\
 ${e.length}`,body:r`<p>Their values are lost${t.length?`. ${S(t.length,"folder")} chosen: only the keys that are in them now are deleted`:""}. Locks on them end.</p><${Xo} keys=${e} />`,
curl:ge("PUT",ce("txn"),e.slice(0,64).map(n=>({KV:{Verb:"delete",Key:n}})))}):(U("There are no keys in what is chosen.",!0),!1)}function Xo({keys:e}){return r`<ul class="plain-list output">${e.
slice(0,fn).map(t=>r`<li key=${t} class="key-name mono">${oe(t)}</li>`)}
    ${e.length>fn?r`<li>and ${S(e.length-fn,"more","more")}</li>`:null}</ul>`}async function bu(e){try{let t=x.peek(),n=await Fs(e,t);if(t!==x.peek())return;if(!n.
length){U("There are no keys below it.",!0);return}let s=Jr(e);if(!await De({title:`Delete all below ${oe(e)}`,danger:!0,confirm:`Delete ${S(n.length,"key")}`,typed:e,
curl:wt(s),body:r`<p>${S(n.length,"key")} of this prefix at this moment, with their values and locks. One that is added before the answer comes goes too.</p><${Xo} keys=${n} />`}))
return;await rt(s,t),U(`${S(n.length,"key")} below ${e} deleted.`),P(v("kv",Pt(e)))}catch(t){U(kt(t),!0)}}function wu({close:e}){let[t,n]=g(""),[s,o]=g(null),[a,
i]=g(""),[l,u]=g(""),c=async f=>{let p=f.target.files?.[0];p&&n(await p.text())},d=async()=>{i(""),u("Reading");try{let f=Xr(t),p=await qo(f.map(({key:h})=>h),h=>u(
`Read ${h} of ${f.length}`)),m=f.map(h=>({...h,now:p.get(h.key)??null})),y=h=>!!(h.now&&h.now.flags===h.flags&&cn(h.now.bytes,h.bytes));o({write:m.filter(h=>!y(
h)),same:m.filter(y).map(({key:h})=>h)})}catch(f){i(kt(f))}u("")},$=async()=>{if(!s)return;u("Writing");let f=s.write.map(({key:y,flags:h,bytes:k,now:_})=>Po(y,
k,h,_?.modified??0)),{done:p,refused:m}=await Ko(f,y=>u(`Written ${y} of ${f.length}`));di("written",p,m),e()};return r`
    <${Ye} title="Import keys" close=${e} wide>
      ${s?r`<${ku} plan=${s} />`:r`
        <p>The JSON of <code>consul kv export</code>. Keys are written under the names in it. Nothing is written before you have seen what would change.</p>
        <div class="actions"><label class="button">From a file<input class="sr" type="file" accept=".json,application/json" data-import-file onChange=${c} /></label></div>
        <label class="field whole"><span>Or paste it</span>
          <textarea class="code" rows="12" spellcheck=${!1} data-import value=${t} onInput=${f=>n(f.target.value)}></textarea></label>`}
      ${a?r`<p class="note bad" role="alert">${a}</p>`:null}
      <div class="buttons"><span class="dim" aria-live="polite">${l}</span>
        <button type="button" disabled=${l!==""} onClick=${()=>s?o(null):e()}>${s?"Back":"Cancel"}</button>
        ${s?r`<button type="button" class=${s.write.some(({now:f})=>f)?"danger":"primary"} data-change disabled=${l!==""||!s.write.length} onClick=${$}>Write ${S(
s.write.length,"key")}</button>`:r`<button type="button" class="primary" disabled=${l!==""||!t.trim()} onClick=${d}>See what would change</button>`}
      </div>
    <//>`}function ku({plan:e}){let t=e.write.filter(({now:s})=>!s),n=e.write.filter(({now:s})=>s);return r`
    <h3>${S(t.length,"new key")}</h3>
    ${t.length?r`<${Xo} keys=${t.map(({key:s})=>s)} />`:null}
    <h3>${S(n.length,"key")} overwritten</h3>
    ${n.length?r`<ul class="plain-list output">${n.slice(0,fn).map(({key:s,bytes:o,flags:a,now:i})=>r`
      <li key=${s}><a class="key-name mono" href=${v("key",s)} target="_blank">${oe(s)}</a> <span class="dim">${tt(i?.bytes.length??0)} now, ${tt(o.length)} then${a===
i?.flags?"":`, flags ${i?.flags} now, ${a} then`}</span></li>`)}
      ${n.length>fn?r`<li>and ${S(n.length-fn,"more","more")}</li>`:null}</ul>`:null}
    <h3>${S(e.same.length,"key")} the same already</h3>
    <p class="hint">Written in transactions of up to 64 keys. A key that changes before its turn comes is left alone and named afterwards.</p>`}var fn,$i=E(()=>{
z();ye();me();un();Te();Oe();Y();Ut();he();we();We();zo();Ho();fn=200});function J({label:e,value:t,set:n,hint:s,list:o,type:a="text",required:i=!1,placeholder:l,disabled:u}){let c=b(()=>`f${Math.random().toString(36).slice(2)}`,[]);
return r`<div class="field"><label><span>${e}</span>
    <input type=${a} value=${t} required=${i} placeholder=${l} disabled=${u} list=${o?c:void 0} aria-describedby=${s?`${c}h`:void 0}
      autocomplete="off" spellcheck=${!1} onInput=${d=>n(d.target.value)} /></label>
    ${o?r`<datalist id=${c}>${_u(o,t).map(d=>r`<option value=${d} />`)}</datalist>`:null}
    ${s?r`<small class="hint" id=${`${c}h`}>${s}</small>`:null}</div>`}function _u(e,t){let n=t.trim().toLowerCase();return e.filter(s=>s.toLowerCase().includes(
n)).slice(0,100)}function Ae({label:e,value:t,set:n,options:s}){return r`<label class="field"><span>${e}</span><select value=${t} onChange=${o=>n(o.target.value)}>
    ${s.map(o=>{let[a,i]=Array.isArray(o)?o:[o,o];return r`<option key=${a} value=${a}>${i}</option>`})}
  </select></label>`}function Wt({label:e,value:t,set:n}){return r`<label class="field row-field"><input type="checkbox" checked=${t} onChange=${s=>n(s.target.checked)} /> ${e}</label>`}
function $n({label:e,names:t,set:n,known:s,hint:o}){let[a,i]=g(""),l=()=>{let u=a.trim();u&&!t.includes(u)&&n([...t,u]),i("")};return r`<fieldset class="names"><legend>${e}</legend>
    ${t.length?r`<span class="tags">${t.map(u=>r`<span class="tag" key=${u}>${u}
      <button type="button" class="quiet" aria-label=${`Remove ${u}`} onClick=${()=>n(t.filter(c=>c!==u))}>✕</button></span>`)}</span>`:null}
    <div class="names-add" onKeyDown=${u=>{u.key==="Enter"&&(u.preventDefault(),l())}}>
      <${J} label=${`Add to ${e.toLowerCase()}`} value=${a} set=${i} list=${s.filter(u=>!t.includes(u))} hint=${o} />
      <button type="button" disabled=${!a.trim()} onClick=${l}>Add</button></div></fieldset>`}function Re({before:e,after:t}){let n=b(()=>Bs(dn(e,t).lines),[e,t]);
return e===t?r`<p class="empty">Nothing changes.</p>`:r`<div class="diff" role="group" aria-label="Changes" tabindex="0">${n.map(s=>s.kind==="skip"?r`<div class="same">... ${s.
count} the same</div>`:r`<div class=${s.kind}>${{add:"+ ",del:"- ",same:"  "}[s.kind]}${s.text}</div>`)}</div>`}function pn(e,t){A(()=>(Ne.value=e?`${t} has cha\
nges that are not saved.`:"",()=>{Ne.value=""}),[e])}async function Qe(e,t,n){let s=x.peek(),o=null;try{o=await ne(e,{dc:s})}catch{}if(s!==x.peek())return!1;let a=Array.
isArray(o)?o[0]?.ModifyIndex:o?.ModifyIndex;return a===void 0||a===t.ModifyIndex?!0:De({title:`${n} was changed meanwhile`,danger:!0,confirm:"Overwrite it",body:r`<p>Somebody has changed it since you began (index ${t.
ModifyIndex} then, ${a} now). Saving overwrites that.</p><${Re} before=${JSON.stringify(Array.isArray(o)?o[0]:o,null,2)} after=${JSON.stringify(t,null,2)} />`})}
function zs({initial:e,what:t,save:n,close:s}){let o=b(()=>e,[]),a=b(()=>JSON.stringify(Be(o),null,2),[]),[i,l]=g(a),{data:u,problem:c}=b(()=>Cr(i),[i]);return pn(
i!==a,t),r`<form class="card" onSubmit=${async $=>{$.preventDefault(),u&&await n(Os(u,o),a,JSON.stringify(u,null,2))&&(Ne.value="",s())}}>
    <label class="field wide-field"><span>${t} as JSON</span>
      <textarea class="code" rows="18" spellcheck=${!1} value=${i} aria-invalid=${c!==""} onInput=${$=>l($.target.value)}></textarea></label>
    <p class="hint" role="status">${c||(Ms(o)?`What is ${Rs} stays as it is unless you write something else.`:"Valid JSON.")}</p>
    <div class="buttons"><button type="button" onClick=${s}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${c!==""}>Review and save</button></div></form>`}function Yo(){let[e,t]=g(void 0),n=O.value;return A(
()=>{let s=!1;return ne("acl/token/self").then(o=>{s||t(o)},()=>{s||t(null)}),()=>{s=!0}},[n,D.value.dc]),e}function it(e){let[t,n]=g([]);return A(()=>{let s=!1;
return ne(e).then(o=>{s||n(o??[])},()=>{}),()=>{s=!0}},[e]),t}function Xs(e,t){return Ee.value!==!1?null:r`<${R} view=${e} title=${t}><${T}>Access control is off in this datacenter: everybody may do everything, and there are no tokens, policies, roles or methods.<//><//>`}
function Ve({view:e,links:t}){return t?.length?r`<span class="tags">${t.map(({ID:n,Name:s})=>r`<a class="tag" key=${n??s} href=${v(e,[n||s||""])}>${s||n}</a>`)}</span>`:
null}function je(e){return{services:(e.ServiceIdentities??[]).map(t=>t.ServiceName+(t.Datacenters?.length?`@${t.Datacenters.join(",")}`:"")),nodes:(e.NodeIdentities??
[]).map(t=>`${t.NodeName}@${t.Datacenter}`)}}function xu(e,t,n){return{ServiceIdentities:e.map(s=>{let[o="",a]=s.split("@");return a?{ServiceName:o,Datacenters:a.
split(",")}:{ServiceName:o}}),NodeIdentities:t.map(s=>({NodeName:s.split("@")[0]??"",Datacenter:s.split("@")[1]||n}))}}function Yn({at:e}){return e?e<Date.now()?
r`<span class="status s3"><i aria-hidden="true"></i>expired <${Xe} at=${e} /></span>`:r`<${Su} at=${e} />`:r`<span class="dim">never</span>`}function Su({at:e}){
return r`<time dateTime=${new Date(e).toISOString()} title=${new Date(e).toLocaleString()}>in ${Le(Math.max(0,e-ze.value))}</time>`}function Ys({text:e,what:t}){
let[n,s]=g(!1);return r`<span class="secret"><code>${n?e:"••••••••"}</code>
    <button type="button" class="quiet" aria-pressed=${n} onClick=${()=>s(!n)}>${n?"Hide":`Show ${t}`}</button></span>`}function pi(){let e=ee(null);return{ref:e,
jump:n=>{let s=e.current;if(!s)return;let o=s.value.split(`
`),a=o.slice(0,n-1).reduce((i,l)=>i+l.length+1,0);s.focus(),s.setSelectionRange(a,a+(o[n-1]?.length??0)),s.scrollTop=Math.max(0,(n-4)*20)}}}function hn(e){let t=n=>(n??
[]).map(s=>s.Name||s.ID||"");return{policies:t(e.Policies),roles:t(e.Roles),...je(e)}}function mn(e,t){let n=s=>s.map(o=>({Name:o}));return{Policies:n(e.policies),
Roles:n(e.roles),...xu(e.services,e.nodes,t)}}function Zs({grants:e,set:t,ofRole:n=!1}){let s=u=>u.map(c=>c.Name??c.Node),o=s(it("acl/policies")),a=s(it("acl/ro\
les")),i=it("internal/ui/services").map(u=>u.Name),l=s(it("catalog/nodes"));return r`
    <${$n} label="Policies" names=${e.policies} set=${u=>t({...e,policies:u})} known=${o} />
    ${n?null:r`<${$n} label="Roles" names=${e.roles} set=${u=>t({...e,roles:u})} known=${a} />`}
    <${$n} label="Service identities" names=${e.services} set=${u=>t({...e,services:u})} known=${i}
      hint="A service's name; web@dc1,dc2 for these datacenters only" />
    <${$n} label="Node identities" names=${e.nodes} set=${u=>t({...e,nodes:u})} known=${l} hint="name@datacenter" />`}var F,lt=E(()=>{z();Wo();ye();me();Oe();Y();
fe();Ze();we();he();F={Resource:"acl",Access:"write"}});var mi={};Ce(mi,{default:()=>hi});function hi({rest:e}){return e?r`<${Du} id=${e} />`:r`<${Tu} />`}function Tu(){let e=M("query").value,t=b(()=>e.data??[],[e.data]),
n=[{id:"name",title:"Query",width:"minmax(8rem, 1fr)",by:vn,cell:s=>r`<a href=${v("queries",[s.ID])}>${vn(s)}</a>${gn(s)?r` <span class="badge">template</span>`:
null}`},{id:"service",title:"Service",width:"minmax(7rem, 1fr)",by:s=>s.Service.Service,cell:s=>gn(s)?r`<code>${s.Service.Service}</code>`:r`<a href=${v("servic\
es",[s.Service.Service])}>${s.Service.Service}</a>`},{id:"tags",title:"Tags",width:"minmax(5rem, 1fr)",wide:!0,cell:s=>r`<${Fe} tags=${s.Service.Tags} max=${4} />`},
{id:"failover",title:"Failover",width:"9rem",by:Zo,cell:Zo,wide:!0},{id:"near",title:"Near",width:"7rem",by:s=>s.Service.Near??"",cell:s=>s.Service.Near,wide:!0}];
return r`<${R} view="queries" title="Prepared queries" ready=${e.data!==void 0||e.error!==null} live=${e}
      actions=${r`<${N} need=${Bt(null)} primary run=${()=>P(v("queries",["new"]))}>New query<//><${q} need=${Bt(null)} />`}>
    <${se} label="prepared queries" rows=${t} rowKey=${s=>s.ID} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.ID,s.Service.Service],service:s=>s.Service.Service,tag:s=>s.Service.Tags??[]}}
      empty="There are no prepared queries, or this token may see none." /><//>`}function Du({id:e}){let t=e==="new",n=M(t?"":`query/${encodeURIComponent(e)}`).
value,s=b(()=>V("edit"),[]),o=Array.isArray(n.data)?n.data[0]??null:null,a=n.data===null||n.error?.status===404,i=()=>{t?P(v("queries")):s.value=""},l=async(d,$,f)=>{
if(o&&!await Qe(`query/${o.ID}`,o,"The query"))return!1;let p=await j({method:o?"PUT":"POST",path:o?`query/${o.ID}`:"query",body:d,shown:Be(d),done:"The query i\
s saved.",question:{title:o?`Save ${vn(o)}`:`Make query ${d.Name??""}`,confirm:"Save",body:r`<${Re} before=${t?"":$} after=${f} />`}});return p&&t&&setTimeout(()=>P(
v("queries",[p.data.ID]))),p!==null},u=async()=>{if(!o)return;await j({method:"DELETE",path:`query/${o.ID}`,done:`${vn(o)} is deleted.`,question:{title:`Delete \
query ${vn(o)}`,danger:!0,confirm:"Delete",body:r`<p>Who asks for it, also by DNS, gets nothing any more.</p>`}})&&P(v("queries"))},c=o&&r`${s.value?null:r`<${N} need=${Bt(
o)} run=${()=>{s.value="1"}}>Edit<//>`}<${N} need=${Bt(o)} danger run=${()=>void u()}>Delete<//><${q} need=${Bt(o)} />`;return r`
    <${R} view="query" title=${t?"New query":o?vn(o):"Query"} crumbs=${[["Prepared queries",v("queries")]]} ready=${t||n.data!==void 0||n.error!==null} live=${a?
void 0:n} actions=${c}>
      ${a?r`<${T}>There is no such query, or this token may not see it.<//>`:null}
      ${(t||o&&s.value)&&ie(Bt(o))?r`<${zs} what="The query" initial=${t?Nu:ke(o,["CreateIndex","ModifyIndex"])} save=${l} close=${i} />`:t?r`<${q} need=${Bt(null)} />`:
null}
      ${o?r`
        <${w} title="Definition"><${W} pairs=${[["ID",r`<code>${o.ID}</code> <${L} text=${o.ID} />`],["Template",gn(o)?r`${o.Template?.Type} <code>${o.Template?.
Regexp}</code>`:null],["Service",gn(o)?r`<code>${o.Service.Service}</code>`:r`<a href=${v("services",[o.Service.Service])}>${o.Service.Service}</a>`],["Tags",o.
Service.Tags?.length?r`<${Fe} tags=${o.Service.Tags} />`:null],["Only passing",o.Service.OnlyPassing?"yes":"no: also those that warn"],["Near",o.Service.Near],[
"Failover",Zo(o)],["DNS TTL",o.DNS?.TTL],["Session",o.Session&&r`<a href=${v("sessions",[o.Session])}>${o.Session}</a>`]]} /><${$e} data=${Be(o)} /><//>
        <${Cu} query=${o} />`:null}
    <//>`}function Cu({query:e}){let t=gn(e),[n,s]=g(e.Name),[o,a]=g(""),[i,l]=g(null),u=it("catalog/nodes").map(h=>h.Node),c=t?n:e.Name||e.ID,d={near:o||void 0},
$=h=>`query/${encodeURIComponent(c)}/${h}`,f=h=>{ne($(h),{params:h==="execute"?d:{}}).then(k=>l({[h]:k}),k=>l({error:k.status===404?"No query answers to that na\
me.":k.message}))},{domain:p,port:m}=Ls(Z("agent/self",6e5).value.data),y=c&&/^[\w.-]+$/.test(c)?`${c}.query.${x.value?`${x.value}.`:""}${p}`:"";return r`<${w} title="Try it">
    <form onSubmit=${h=>{h.preventDefault(),f("execute")}}>
      <div class="ask-line">
        ${t?r`<${J} label="Name that is asked for" value=${n} set=${s} placeholder=${e.Name} hint="The template answers to all names that begin with its own" />`:
null}
        <${J} label="Near" value=${o} set=${a} list=${["_agent",...u]} placeholder="as the query says" /></div>
      <div class="buttons left"><button type="submit" class="primary" disabled=${!c}>Execute</button><button type="button" disabled=${!c} onClick=${()=>f("expla\
in")}>Explain</button></div>
    </form>
    <div role="status">${i?.error?r`<p class="note bad">${i.error}</p>`:null}
      ${i?.explain?r`<p>What it becomes for <b>${c}</b>:</p><${L} text=${JSON.stringify(i.explain.Query??i.explain,null,2)} block />`:null}
      ${i?.execute?r`<${Au} found=${i.execute} />`:null}</div>
    ${y&&m>0?r`<${L} text=${_s(location.hostname||"127.0.0.1",m,y)} block />`:null}
    <${L} text=${ge("GET",ce($("execute"),d))} block />
  <//>`}function Au({found:e}){let t=n=>["critical","warning","passing"].find(s=>n.some(o=>o.Status===s))??"passing";return r`<p>${S(e.Nodes?.length??0,"instanc\
e")} of <b>${e.Service}</b> in <b>${e.Datacenter}</b>${e.Failovers?`, after ${S(e.Failovers,"failover")}`:""}.</p>
    ${e.Nodes?.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Instances found"><table class="plain"><thead><tr><th>Node</th><th>Address</th><th>Instance</th><th>Checks</th></tr></thead><tbody>
    ${e.Nodes.map(n=>r`<tr key=${`${n.Node.Node} ${n.Service.ID}`}><td><a href=${v("nodes",[n.Node.Node])}>${n.Node.Node}</a></td><td><code>${n.Service.Address||
n.Node.Address}:${n.Service.Port}</code></td>
      <td>${n.Service.ID}</td><td><${H} status=${t(n.Checks??[])} /></td></tr>`)}</tbody></table></div>`:null}<${$e} data=${e} />`}var Nu,Bt,gn,Zo,vn,vi=E(()=>{
z();ye();Te();Y();Oe();me();Ze();we();he();lt();We();Nu={Name:"",Service:{Service:"",OnlyPassing:!0,Tags:[],Failover:{NearestN:0,Datacenters:[]}},DNS:{TTL:""}},
Bt=e=>({Resource:"query",Access:"write",Segment:e?.Name??""}),gn=e=>!!e.Template?.Type,Zo=({Service:{Failover:e}})=>[e?.NearestN?`nearest ${e.NearestN}`:"",...e?.
Datacenters??[]].filter(Boolean).join(", "),vn=e=>e.Name||(gn(e)?"(all names)":Pe(e.ID))});var wi={};Ce(wi,{default:()=>bi});function bi({rest:e}){return e?r`<${Ru} id=${e} />`:r`<${Eu} />`}function Qo({action:e}){return r`<${H} status=${e==="allow"?"\
passing":e==="deny"?"critical":"warning"} text=${{allow:"allowed",deny:"denied"}[e]??"by request"} />`}function Eu(){let e=M("connect/intentions").value,t=e.error?.
status===404,n=b(()=>e.data??[],[e.data]),s=a=>`${a.SourceName} to ${a.DestinationName}`,o=[{id:"source",title:"Source",width:"minmax(6rem, 1fr)",by:a=>a.SourceName,
cell:a=>r`<a href=${v("intentions",[a.ID])} title=${s(a)}>${a.SourceName==="*"?"* (every service)":a.SourceName}</a>`},{id:"action",title:"May",width:"6rem",by:a=>a.
Action,cell:a=>r`<${Qo} action=${a.Action} />`},{id:"destination",title:"Destination",width:"minmax(6rem, 1fr)",by:a=>a.DestinationName,cell:a=>Iu(a.DestinationName)},
{id:"precedence",title:"Precedence",width:"7rem",by:a=>-a.Precedence,cell:a=>a.Precedence,wide:!0},{id:"description",title:"Description",width:"minmax(8rem, 2fr\
)",by:a=>a.Description??"",cell:a=>a.Description,wide:!0}];return t?r`<${R} view="intentions" title="Intentions"><${T}>This agent has no intentions: it has no service mesh yet, so every service may connect to every other. They appear here as soon as it has.<//><//>`:
r`<${R} view="intentions" title="Intentions" ready=${e.data!==void 0||e.error!==null} live=${e}
      actions=${r`<${N} need=${gi} primary run=${()=>P(v("intentions",["new"]))}>New intention<//><${q} need=${gi} />`}>
    <${Ou} />
    <${se} label="intentions" rows=${n} rowKey=${a=>a.ID||s(a)} columns=${o} order="precedence" stamp=${a=>String(a.ModifyIndex)}
      fields=${{"":a=>[a.SourceName,a.DestinationName,a.Description??""],source:a=>a.SourceName,destination:a=>a.DestinationName,action:a=>a.Action}}
      quick=${[["action:allow","allowed"],["action:deny","denied"]]} empty="There are no intentions: the default policy of access control decides." /><//>`}function Ou(){
let[e,t]=g(""),[n,s]=g(""),[o,a]=g(""),i=it("internal/ui/services").map(u=>u.Name);return r`<form class="ask-line card" onSubmit=${u=>{u.preventDefault(),ne("co\
nnect/intentions/check",{params:{source:e,destination:n}}).then(c=>a(c.Allowed?"allow":"deny"),c=>a(c.message))}}>
    <${J} label="May this service" value=${e} set=${u=>{t(u),a("")}} list=${i} />
    <${J} label="call this one" value=${n} set=${u=>{s(u),a("")}} list=${i} />
    <div class="ask-end"><button type="submit" disabled=${!e||!n}>Check</button> <span role="status" data-verdict>${/^(allow|deny)$/.test(o)?r`<${Qo} action=${o} />`:
o}</span></div></form>`}function Ru({id:e}){let t=e==="new",n=M(t?"":`connect/intentions/${encodeURIComponent(e)}`).value,s=b(()=>V("edit"),[]),o=n.data??null,a=n.
data===null||n.error?.status===404,i=yi(o?.DestinationName??""),l=()=>{t?P(v("intentions")):s.value=""},u=o?`${o.SourceName} to ${o.DestinationName}`:"",c=async()=>{
await j({method:"DELETE",path:`connect/intentions/${encodeURIComponent(e)}`,done:`The intention ${u} is deleted.`,question:{title:`Delete the intention ${u}`,danger:!0,
confirm:"Delete",body:r`<p>Another intention that is about both, or else the default policy, decides then. Connections that are open stay.</p>`}})&&P(v("intenti\
ons"))},d=!o?.Permissions?.length,$=o&&r`${s.value||!d?null:r`<${N} need=${i} run=${()=>{s.value="1"}}>Edit<//>`}<${N} need=${i} danger run=${()=>void c()}>Delete<//><${q} need=${i} />`;
return r`
    <${R} view="intention" title=${t?"New intention":u||"Intention"} crumbs=${[["Intentions",v("intentions")]]} ready=${t||n.data!==void 0||n.error!==null} live=${a?
void 0:n} actions=${$}>
      ${a?r`<${T}>There is no such intention any more, or this agent has none at all.<//>`:null}
      ${(t||o&&s.value)&&ie(i)?r`<${Mu} intention=${o} close=${l} />`:t?r`<${q} need=${i} />`:null}
      ${o?r`<${w} title="Intention"><${W} pairs=${[["Source",o.SourceName==="*"?"every service":r`<a href=${v("services",[o.SourceName])}>${o.SourceName}</a>`],
["Destination",o.DestinationName==="*"?"every service":r`<a href=${v("services",[o.DestinationName])}>${o.DestinationName}</a>`],["May",r`<${Qo} action=${o.Action} />`],
["Description",o.Description],["Precedence",`${o.Precedence}: the highest that is about both decides`],["Meta",o.Meta&&Object.entries(o.Meta).map(([f,p])=>`${f}\
=${p}`).join(", ")],["Changed",Date.parse(o.UpdatedAt??"")>0?r`<${Xe} at=${Date.parse(o.UpdatedAt??"")} />`:null]]} />${d?null:r`<p class="note">It decides by request. Such permissions are edited as a config entry.</p>`}<${$e} data=${o} /><//>`:
null}
    <//>`}function Mu({intention:e,close:t}){let n=b(()=>e,[]),[s,o]=g(n?.SourceName??""),[a,i]=g(n?.DestinationName??""),[l,u]=g(n?.Action||"allow"),[c,d]=g(n?.
Description??""),$=["*",...it("internal/ui/services").map(y=>y.Name)],f=y=>`Source: ${y.SourceName}
Destination: ${y.DestinationName}
Action: ${y.Action}
Description: ${y.Description??""}`,p={SourceName:s,DestinationName:a,SourceType:"consul",Action:l,Description:c};return r`<form class="card" onSubmit=${async y=>{
y.preventDefault();let h=n?`connect/intentions/${n.ID}`:"connect/intentions";if(n&&!await Qe(h,n,"The intention"))return;await j({method:n?"PUT":"POST",path:h,body:n?
{...ke(n,["CreateIndex","ModifyIndex","CreatedAt","UpdatedAt","Precedence","Hash"]),...p}:p,done:"The intention is saved.",question:{title:`${s} ${l==="allow"?"\
may":"may not"} call ${a}`,confirm:"Save",body:r`<p>New connections are decided by it at once. Connections that are open stay.</p><${Re} before=${n?f(n):""} after=${f(
p)} />`}})&&t()}}>
    <${J} label="Source" value=${s} set=${o} list=${$} required hint="A service's name; * is every service" disabled=${n!==null} />
    <${J} label="Destination" value=${a} set=${i} list=${$} required disabled=${n!==null} />
    <${Ae} label="May it connect" value=${l} set=${u} options=${[["allow","allow"],["deny","deny"]]} />
    <${J} label="Description" value=${c} set=${d} />
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!s||!a||n!==null&&f(n)===f(p)}>Review and save</button></div></form>`}var yi,gi,Iu,ki=E(()=>{
z();ye();Te();Y();Oe();Ze();we();he();lt();We();yi=e=>({Resource:"intention",Access:"write",Segment:e}),gi=yi("");Iu=e=>e==="*"?r`<span class="badge" title="every service">*</span>`:
e});function Qn(e){return e==="key"?["deny","read","list","write"]:["deny","read","write"]}function Pu(e){let t=[];for(let n of e.matchAll(Lu)){let[s,o,,a,i,l,u,c,d]=n,
$=n.index;o===void 0&&(a!==void 0?t.push({kind:"text",text:`${i}
`,at:$}):l!==void 0?t.push({kind:"text",text:Uu(l),at:$}):u!==void 0?t.push({kind:"word",text:u,at:$}):c!==void 0?t.push({kind:"number",text:c,at:$}):t.push({kind:d===
void 0?"bad":"mark",text:s,at:$}))}return t.push({kind:"end",text:"the end",at:e.length}),t}function Uu(e){try{return JSON.parse(`"${e}"`)}catch{return e}}function ju(e){
let t=[0];for(let n=e.indexOf(`
`);n>=0;n=e.indexOf(`
`,n+1))t.push(n+1);return n=>{let[s,o]=[0,t.length-1];for(;s<o;){let a=Math.ceil((s+o)/2);(t[a]??0)<=n?s=a:o=a-1}return[s+1,n-(t[s]??0)+1]}}function yn(e,t){let n=[],
s=[],o=ju(e),a=(c,d,$=!0)=>{let[f,p]=o(c);s.push({line:f,column:p,text:d,error:$})},i;try{let c=new ta(e);if(c.has("{")){i=c.value().entries;let d=c.peek();if(d.
kind!=="end")throw new qe(d.at,`${d.text} cannot stand after the closing brace.`)}else i=c.entries(!0)}catch(c){if(!(c instanceof qe))throw c;return a(c.at,c.message),
{rules:n,problems:s}}let l=new Map(i.map(c=>[(c.keys[0]?.text??"").toLowerCase(),c]));for(let c of i){let d=(c.keys[0]?.text??"").toLowerCase();if(ct.includes(d)&&
c.value.kind==="text"&&l.get(d)!==c){a(c.value.at,`${d} is said again below: that counts.`,!1);continue}for(let $ of qu(c,a))n.push({...$,line:o($.line)[0],source:t})}
let u=new Map;for(let c of n){let d=`${c.resource}
${c.prefix}
${c.name}`,$=u.get(d);$?s.push({line:c.line,column:1,error:!1,text:`Line ${$.line} is about the same name: deny counts, else the one that grants more.`}):u.set(
d,c)}return{rules:n,problems:s}}function qu({keys:e,value:t},n){let s=e[0],o=s.text.toLowerCase(),a=o.endsWith("_prefix"),i=a?o.slice(0,-7):o;if(ct.includes(o))
return e.length>1||t.kind!=="text"?(n(s.at,`${o} has no names: write ${o} = "read".`),[]):t.text===""?[]:na(o,t,n)?[{resource:o,prefix:!1,name:"",level:t.text.toLowerCase(),
line:s.at}]:[];if(!Zn.includes(i)){let u=Ku(o);return n(s.at,`${s.text} is no resource: Consul ignores it.${u?` Is ${u} meant?`:""}`,!1),[]}if(e.length>2)return n(
s.at,`A rule has one name, this one has ${e.length-1}.`),[];let l=e[1];return l?Ni(i,a,l,t,n):t.kind==="object"||t.kind==="list"?Si(i,a,s,t,n):(n(s.at,`${o} nee\
ds a name and a block: ${o} "name" { policy = "${t.text}" }.`),[])}function Si(e,t,n,s,o){if(s.kind==="list")return s.items.flatMap(i=>Si(e,t,n,i,o));let a=[];for(let{
keys:[i],value:l}of s.entries){let u=l.kind==="list"?l.items:[l];if(u.some(c=>c.kind!=="object"))return o(n.at,`${n.text} has no name: write ${n.text} "name" { \
policy = "..." }.`),[];for(let c of u)a.push(...Ni(e,t,i,c,o))}return a}function Ni(e,t,n,s,o){let a={};for(let{keys:[l],value:u}of s.entries){let c=(l?.text??"").
toLowerCase();c==="policy"||c==="intentions"&&e==="service"?a[c]=u:o(l?.at??n.at,c==="sentinel"?"Sentinel is of the enterprise edition: ignored.":`${c} is no fi\
eld of a rule: ignored.`,!1)}if(!a.policy)return o(n.at,`The rule for "${n.text}" says nothing: policy is missing.`),[];let i=na(e,a.policy,o);return a.intentions&&
a.intentions.text!==""&&!na("intentions",a.intentions,o)?[]:i?[{resource:e,prefix:t,name:n.text,level:a.policy.text.toLowerCase(),intentions:a.intentions?.text.
toLowerCase()||void 0,line:n.at}]:[]}function na(e,t,n){let s=Qn(e);if(t.kind==="text"&&s.includes(t.text.toLowerCase()))return!0;let o=t.text.toLowerCase()==="\
list"?" (list is for keys only)":"";return n(t.at,`"${t.text}" is no level${o}: ${s.slice(0,-1).join(", ")} or ${s.at(-1)}.`),!1}function Ku(e){let s=[...ct,...Zn,
...Zn.map(o=>`${o}_prefix`)].map(o=>[Fu(e,o),o]).sort(([o],[a])=>o-a)[0];return s&&s[0]<=2?s[1]:""}function Fu(e,t){let n=Array.from({length:t.length+1},(s,o)=>o);
for(let s=1;s<=e.length;s+=1){let o=[s];for(let a=1;a<=t.length;a+=1)o[a]=Math.min((n[a]??0)+1,(o[a-1]??0)+1,(n[a-1]??0)+(e[s-1]===t[a-1]?0:1));n=o}return n[t.length]??
0}function bn({resource:e,prefix:t,name:n,level:s,intentions:o}){if(ct.includes(e))return`${e} = "${s}"`;let a=o?` intentions = "${o}"`:"";return`${e}${t?"_pref\
ix":""} ${JSON.stringify(n)} { policy = "${s}"${a} }`}function Ti(e){let t=`service identity ${e}`;return[{resource:"service",prefix:!1,name:e,level:"write",line:0,
source:t},{resource:"service",prefix:!1,name:`${e}-sidecar-proxy`,level:"write",line:0,source:t},{resource:"service",prefix:!0,name:"",level:"read",line:0,source:t},
{resource:"node",prefix:!0,name:"",level:"read",line:0,source:t}]}function Di(e){let t=`node identity ${e}`;return[{resource:"node",prefix:!1,name:e,level:"writ\
e",line:0,source:t},{resource:"service",prefix:!0,name:"",level:"read",line:0,source:t}]}function ea(e,t){return t!=="intention"?e.level:e.intentions??(e.level===
"deny"?"deny":"read")}function Ci(e,t,n,s){let o=t==="intention"?"service":t,a=e.filter($=>$.resource===o&&(ct.includes(o)||($.prefix?n.startsWith($.name):$.name===
n))),i=$=>$.prefix?$.name.length:1/0;a.sort(($,f)=>{let[p,m]=[i($),i(f)];return p===m?_i.indexOf(ea(f,t))-_i.indexOf(ea($,t)):m-p});let[l=null,...u]=a;if(!l)return{
rule:l,allow:null,others:u};let c=ea(l,t);return{rule:l,allow:{read:["read","list","write"],list:["list","write"],write:["write"]}[s]?.includes(c)??!1,others:u}}
var ct,Zn,xi,_i,Lu,qe,ta,sa=E(()=>{ct=["acl","keyring","operator","mesh","peering"],Zn=["agent","event","key","node","query","service","session"],xi=["acl","age\
nt","event","intention","key","keyring","node","operator","query","service","session"],_i=["read","list","write","deny"];Lu=/(\s+|#[^\n]*|\/\/[^\n]*|\/\*[^]*?\*\/)|<<(-?)(\w+)\n([^]*?)\n[ \t]*\3(?=\n|$)|"((?:[^"\\\n]|\\.)*)"|([A-Za-z_][\w.-]*)|(-?\d[\w.+-]*)|([{}[\]=:,])|([^])/gy;
qe=class extends Error{constructor(t,n){super(n),this.at=t}},ta=class{constructor(t){this.tokens=Pu(t),this.next=0}peek(){return this.tokens[this.next]}take(){let t=this.
peek();return t.kind!=="end"&&(this.next+=1),t}has(t){let n=this.peek();return n.kind==="mark"&&n.text===t}entries(t){let n=[];for(;;){for(;this.has(",");)this.
take();let s=this.peek();if(this.has("}")&&!t)return this.take(),n;if(s.kind==="end"){if(t)return n;throw new qe(s.at,"A closing brace } is missing at the end.")}
n.push(this.entry())}}entry(){let t=[];for(;;){let n=this.peek();if(n.kind==="word"||n.kind==="text")t.push(this.take());else if(t.length&&(this.has("=")||this.
has(":"))){if(t.length>1)throw new qe(n.at,`${t.map(s=>s.text).join(" ")} is followed by a block { policy = "..." }, without =.`);return this.take(),{keys:t,assigned:!0,
value:this.value()}}else{if(t.length&&this.has("{"))return{keys:t,assigned:!1,value:this.value()};throw n.kind==="bad"&&n.text==='"'?new qe(n.at,"This text has \
no closing quote."):t.length?new qe(n.at,`${n.text} cannot stand here: after ${t.at(-1)?.text} a block { or = is expected.`):new qe(n.at,`${n.text} cannot stand\
 here: a resource like key_prefix is expected.`)}}}value(){let t=this.take(),n={kind:"other",text:t.text,items:[],entries:[],at:t.at};if(t.kind==="text")return{
...n,kind:"text"};if(t.kind==="number"||t.kind==="word"&&/^(true|false|null)$/.test(t.text))return n;if(t.kind==="mark"&&t.text==="{")return{...n,kind:"object",
entries:this.entries(!1)};if(t.kind==="mark"&&t.text==="["){for(;!this.has("]");){if(this.peek().kind==="end")throw new qe(t.at,"This list has no closing bracke\
t ].");this.has(",")?this.take():n.items.push(this.value())}return this.take(),{...n,kind:"list"}}throw t.kind==="word"?new qe(t.at,`${t.text} must be in quotes\
.`):t.kind==="bad"&&t.text==='"'?new qe(t.at,"This text has no closing quote."):new qe(t.at,`${t.text} cannot stand here: a value is expected.`)}}});var Mi={};Ce(Mi,{default:()=>Ei});function Ei({rest:e}){let t=Xs("tokens","Tokens");return t||(e==="new"?r`<${Xu} />`:e?r`<${Vu} id=${e} />`:r`<${Wu} />`)}function Oi({
token:{CreateTime:e}}){let t=Date.parse(e);return t>0?r`<${Xe} at=${t} />`:r`<span class="dim">not known</span>`}function Wu(){let e=M("acl/tokens").value,t=Yo(),
[n,s]=g(new Set),o=b(()=>e.data??[],[e.data]),a=l=>l.Description||Pe(l.AccessorID),i=[{id:"description",title:"Token",width:"minmax(9rem, 2fr)",by:a,cell:l=>r`<a href=${v(
"tokens",[l.AccessorID])} title=${a(l)}>${a(l)}</a>${l.AccessorID===t?.AccessorID?r` <span class="badge">yours</span>`:null}`},{id:"accessor",title:"Accessor",width:"\
6rem",by:l=>l.AccessorID,cell:l=>r`<code title=${l.AccessorID}>${Pe(l.AccessorID)}</code>`,wide:!0},{id:"grants",title:"Policies and roles",width:"minmax(8rem, \
2fr)",by:l=>Ai(l).join(" "),wide:!0,cell:l=>r`<${Ve} view="policies" links=${l.Policies} /> <${Ve} view="roles" links=${l.Roles} />${je(l).services.map(u=>r` <span class="badge" title="service identity">${u}</span>`)}${je(
l).nodes.map(u=>r` <span class="badge" title="node identity">${u}</span>`)}`},{id:"marks",title:"Kind",width:"6rem",by:l=>oa(l).join(" "),wide:!0,cell:l=>oa(l).
map(u=>r`<span class="badge">${u}</span> `)},{id:"created",title:"Created",width:"8rem",by:l=>-Date.parse(l.CreateTime),cell:l=>r`<${Oi} token=${l} />`,wide:!0},
{id:"expires",title:"Expires",width:"8rem",by:l=>vt(l)||1/0,cell:l=>r`<${Yn} at=${vt(l)} />`}];return r`
    <${R} view="tokens" title="Tokens" ready=${e.data!==void 0||e.error!==null} live=${e}
        actions=${r`${n.size?r`<${N} need=${F} danger run=${()=>void Bu(o.filter(l=>n.has(l.AccessorID)),t?.AccessorID).then(l=>{l&&s(new Set)})}>Delete ${n.size}<//>`:
null}<${N} need=${F} primary run=${()=>P(v("tokens",["new"]))}>New token<//><${q} need=${F} />`}>
      <${se} label="tokens" rows=${o} rowKey=${l=>l.AccessorID} columns=${i} order="description"
        stamp=${l=>String(l.ModifyIndex)} picked=${n} onPick=${ie(F)?s:void 0}
        fields=${{"":l=>[l.Description,l.AccessorID,...Ai(l)],policy:l=>(l.Policies??[]).map(u=>u.Name??""),role:l=>(l.Roles??[]).map(u=>u.Name??""),is:oa,method:l=>l.
AuthMethod??""}}
        quick=${[["is:local","local"],["is:login","from a login"],["is:legacy","legacy"],["is:expired","expired"]]}
        empty="There are no tokens, or this token may see none." />
    <//>`}async function Bu(e,t){let n=e.filter(i=>i.AccessorID!==t&&i.AccessorID!==Ii);if(!n.length)return U("Your own token and the anonymous one are not dele\
ted here.",!0),!1;if(!await De({title:`Delete ${S(n.length,"token")}`,danger:!0,confirm:"Delete",typed:String(n.length),body:r`<p>Whoever uses one of them may do nothing more with it.${n.
length<e.length?" Your own token and the anonymous one stay.":""}</p><ul>${n.slice(0,20).map(i=>r`<li>${i.Description||i.AccessorID}</li>`)}${n.length>20?r`<li>and ${n.
length-20} more</li>`:null}</ul>`}))return!1;let o=x.peek(),a=0;for(let i of n)try{await te("DELETE",`acl/token/${i.AccessorID}`,{dc:o}),a+=1}catch(l){U(`${i.Description||
i.AccessorID}: ${l instanceof Error?l.message:l}`,!0)}return U(`${S(a,"token")} deleted.`),!0}function Vu({id:e}){let t=M(`acl/token/${encodeURIComponent(e)}`).
value,n=Yo(),s=b(()=>V("edit"),[]),o=t.data??null,a=o!==null&&o.AccessorID===n?.AccessorID,i=o?o.Description||`Token ${Pe(o.AccessorID)}`:`Token ${Pe(e)}`,l=o?.
SecretID&&/^[^<]/.test(o.SecretID)?o.SecretID:"",u=o&&r`
    ${l&&l!==O.value?r`<button type="button" onClick=${()=>Ju(l,i)}>Use it</button>`:null}
    ${s.value||o.Legacy?null:r`<${N} need=${F} run=${()=>{s.value="1"}}>Edit<//>`}
    ${o.Legacy?null:r`<${N} need=${F} run=${()=>void Gu(o,i)}>Clone<//>`}
    <${N} need=${F} danger run=${()=>void zu(o,i,a)}>Delete<//><${q} need=${F} />`;return r`
    <${R} view="token" title=${i} crumbs=${[["Tokens",v("tokens")]]} ready=${t.data!==void 0||t.error!==null} live=${t} actions=${u}>
      ${t.data===null?r`<${T}>There is no such token any more.<//>`:null}
      ${o&&s.value&&ie(F)?r`<${Ri} token=${o} close=${()=>{s.value=""}} />`:null}
      ${o?r`
        <${w} title="Token">
          <${W} pairs=${[["Accessor",r`<code>${o.AccessorID}</code> <${L} text=${o.AccessorID} />${a?r` <span class="badge">this is yours</span>`:null}`],["Secr\
et",l?r`<${Ys} text=${l} what="the secret" /><${Hu} text=${l} />`:r`<span class="dim">shown to those who may write access control</span>`],["Policies",o.Policies&&
r`<${Ve} view="policies" links=${o.Policies} />`],["Roles",o.Roles&&r`<${Ve} view="roles" links=${o.Roles} />`],["Service identities",je(o).services.join(", ")],
["Node identities",je(o).nodes.join(", ")],["Scope",o.Local?`local: ${D.value.dc} only`:"global: all datacenters"],["From",o.AuthMethod&&r`a login by <a href=${v(
"methods",[o.AuthMethod])}>${o.AuthMethod}</a>`],["Created",r`<${Oi} token=${o} />`],["Expires",r`<${Yn} at=${vt(o)} />`],["Index",o.ModifyIndex]]} />
          ${o.Legacy?r`<p class="note warn">A legacy token of a release before 1.4. It can be upgraded by <code>consul acl token update -upgrade-legacy</code>.</p>`:
null}
          <${$e} data=${ke(o,["SecretID"])} />
        <//>
        <${Zu} token=${o} secret=${l||(a?O.value:"")} />`:null}
    <//>`}function Hu({text:e}){let[t,n]=g(!1);return r`<button type="button" class="quiet" onClick=${async()=>{await Pn(e),n(!0),setTimeout(()=>n(!1),1500)}}>${t?
"copied":"Copy the secret"}</button>`}async function Ju(e,t){await De({title:"Use this token",confirm:"Use it",body:r`<p>From now on this page acts with <b>${t}</b>. ${O.
value?"The token in use now is forgotten here.":""}</p>`})&&(O.value=e,U(`${t} is in use.`))}async function Gu(e,t){let n=await j({method:"PUT",path:`acl/token/${e.
AccessorID}/clone`,body:{Description:`Clone of ${e.Description||e.AccessorID}`},done:"The token is cloned.",question:{title:`Clone ${t}`,confirm:"Clone",body:r`<p>A new token with the same policies, roles and identities, and a secret of its own.</p>`}});
n&&P(v("tokens",[n.data.AccessorID],{edit:"1"}))}async function zu(e,t,n){if(n){await De({title:"This is your own token",confirm:"I see",body:r`<p>Deleting it would end what you are doing here. Use another token first, or log out if it came from a login.</p>`});
return}await j({method:"DELETE",path:`acl/token/${e.AccessorID}`,done:`${t} is deleted.`,question:{title:`Delete ${t}`,danger:!0,confirm:"Delete",body:r`<p>Whoever uses it may do nothing more with it. ${e.
AccessorID===Ii?"It is the anonymous token: what comes without a token has its rights.":""}</p>`}})&&P(v("tokens"))}function Xu(){return r`<${R} view="token" title="New token" crumbs=${[
["Tokens",v("tokens")]]}>
    ${ie(F)?r`<${Ri} token=${null} close=${()=>P(v("tokens"))} />`:r`<${T}>No token can be made here. <${q} need=${F} /><//>`}<//>`}function Ri({token:e,close:t}){
let n=b(()=>e,[]),[s,o]=g(n?.Description??""),[a,i]=g(()=>hn(n??{})),[l,u]=g(!1),[c,d]=g(""),$=D.value.dc,f=c!==""&&!(Ts(c)>0),p=JSON.stringify({Description:n?.
Description??"",...mn(hn(n??{}),$)},null,2),m=JSON.stringify({Description:s,...mn(a,$)},null,2);return pn(p!==m,"The token"),r`<form class="card" onSubmit=${async h=>{
h.preventDefault();let k={Description:s,...mn(a,$)},_=n?`acl/token/${n.AccessorID}`:"acl/token";if(n&&!await Qe(_,n,"The token"))return;let K=n?{...ke(n,["Secre\
tID","Hash","CreateIndex","ModifyIndex","CreateTime"]),...k}:{...k,Local:l,...c?{ExpirationTTL:c}:{}},xe=await j({method:"PUT",path:_,body:K,done:n?"The token i\
s saved.":"The token is made. Its secret is shown on request.",question:{title:n?"Save the token":"Make a token",confirm:n?"Save":"Create",body:r`<${Re} before=${n?
p:""} after=${m} />`}});xe&&(Ne.value="",n?t():P(v("tokens",[xe.data.AccessorID])))}}>
    <${J} label="Description" value=${s} set=${o} />
    <${Zs} grants=${a} set=${i} />
    ${n?null:r`<${Wt} label=${`Local: of ${$} only`} value=${l} set=${u} />
      <${J} label="Expires after" value=${c} set=${d} placeholder="never" hint=${f?"This is no duration like 8h or 30m.":"Like 8h or 30m; it cannot be changed l\
ater"} />`}
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${f||n!==null&&p===m}>Review and ${n?"save":"create"}</button></div></form>`}async function Yu(e){
let t=[],n=[],s=new Map,o=a=>{for(let i of a.ServiceIdentities??[])t.push(...Ti(i.ServiceName));for(let i of a.NodeIdentities??[])t.push(...Di(i.NodeName))};for(let a of e.
Policies??[])s.set(a.ID??"",a.Name??"");o(e);for(let a of e.Roles??[])try{let i=await ne(`acl/role/${a.ID}`);o(i);for(let l of i.Policies??[])s.set(l.ID,`${l.Name}\
 of role ${i.Name}`)}catch{n.push(`role ${a.Name}`)}return await Promise.all([...s].map(async([a,i])=>{try{t.push(...yn((await ne(`acl/policy/${a}`)).Rules??"",
i).rules)}catch{n.push(`policy ${i}`)}})),e.Rules&&t.push(...yn(e.Rules,"the token itself").rules.map(a=>({...a,prefix:!0}))),{rules:t,missing:n}}function Zu({token:e,
secret:t}){let[n,s]=g(null),o=b(()=>V("resource","key"),[]),a=b(()=>V("name"),[]),i=b(()=>V("access","read"),[]),[l,u]=g(null);A(()=>{Yu(e).then(s)},[e]);let c=`${o.
value}
${a.value}
${i.value}`,d=o.value==="key"?Qn("key").slice(1):["read","write"],$=!["acl","keyring","operator"].includes(o.value);A(()=>{let h=!1;u(null);let k=setTimeout(async()=>{
let _=await Qu(e,t,{Resource:o.value,Segment:$?a.value:"",Access:i.value});h||u(_)},250);return()=>{h=!0,clearTimeout(k)}},[c,t,e]);let{rule:f,others:p}=Ci(n?.rules??
[],o.value,a.value,i.value),m=(n?.rules??[]).filter(h=>h!==f&&!p.includes(h)),y=(h,k)=>r`<tr key=${`${h.source} ${h.line} ${bn(h)}`}><td><code>${bn(h)}</code></td><td>${h.
source}</td><td>${k}</td></tr>`;return r`<${w} title="What may this token do">
    <div class="ask-line">
      <${Ae} label="Resource" value=${o.value} set=${h=>{o.value=h,h!=="key"&&i.value==="list"&&(i.value="read")}} options=${xi} />
      ${$?r`<${J} label=${o.value==="key"?"Key":"Name"} value=${a.value} set=${h=>{a.value=h}} />`:null}
      <${Ae} label="Access" value=${i.value} set=${h=>{i.value=h}} options=${d} />
    </div>
    <p role="status" data-may>${l===null?r`<span class="dim">Asking</span>`:l.error?r`<span class="dim">${l.error}</span>`:r`
      <${H} status=${l.allow?"passing":"critical"} text=${l.allow?"allowed":"denied"} />
      ${l.rule?r` by <code>${l.rule}</code>${l.policy?` of ${l.policy}`:""}`:f?r` by <code>${bn(f)}</code> of ${f.source}`:" by the default policy: no rule is a\
bout it"}
      ${l.needed?r`. It would need <code>${l.needed}</code>`:null}`}</p>
    ${n?.missing.length?r`<p class="note warn">Not readable with your token: ${n.missing.join(", ")}. Their rules are missing here.</p>`:null}
    ${n?.rules.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Rules"><table class="plain"><thead><tr><th>Rule</th><th>From</th><th>Effect</th></tr></thead><tbody>
      ${f?y(f,"decides"):null}${p.map(h=>y(h,"also about it"))}${m.slice(0,200).map(h=>y(h,""))}</tbody></table></div>
      ${m.length>200?r`<p class="hint">and ${m.length-200} more</p>`:null}`:n?r`<${T}>It has no rules: the default policy decides everything.<//>`:null}
  <//>`}async function Qu(e,t,n){if(_e)try{let s=await ne("internal/acl/explain",{params:{resource:n.Resource,segment:n.Segment,access:n.Access,accessor:e.AccessorID}});
return{allow:s.Allow,rule:s.Default?"":s.Rule,policy:s.Policy,needed:s.Needed}}catch{}if(!t)return{error:"The agent can be asked with the token's secret only, a\
nd your token may not see that. The rules below are what can be known."};try{let{data:s}=await te("POST","internal/acl/authorize",{secret:t,body:[n]});return{allow:s[0].
Allow===!0}}catch(s){return{error:s instanceof Error?s.message:String(s)}}}var Ii,Ai,oa,Li=E(()=>{z();ye();Te();Y();Oe();fe();me();Ze();sa();we();he();lt();We();
Ii="00000000-0000-0000-0000-000000000002";Ai=e=>[...e.Policies??[],...e.Roles??[]].map(t=>t.Name||t.ID||""),oa=e=>[e.Local?"local":"",e.Legacy?"legacy":"",e.AuthMethod?
"login":"",vt(e)&&vt(e)<Date.now()?"expired":""].filter(Boolean)});function Pi({name:e}){let t=b(()=>V("new"),[]);return e||t.value?r`<${nd} name=${e} />`:r`<${td} />`}function td(){let e=M("acl/auth-methods").value,t=b(()=>e.data??
[],[e.data]),n=[{id:"name",title:"Method",width:"minmax(8rem, 1fr)",by:s=>s.Name,cell:s=>r`<a href=${v("methods",[s.Name])}>${s.Name}</a>`},{id:"type",title:"Ty\
pe",width:"7rem",by:s=>s.Type,cell:s=>s.Type},{id:"display",title:"Shown as",width:"minmax(8rem, 1fr)",by:s=>s.DisplayName??"",cell:s=>s.DisplayName,wide:!0},{id:"\
description",title:"Description",width:"minmax(8rem, 2fr)",by:s=>s.Description,cell:s=>s.Description,wide:!0},{id:"ttl",title:"Tokens last",width:"7rem",cell:s=>s.
MaxTokenTTL&&s.MaxTokenTTL!=="0s"?s.MaxTokenTTL:"for ever",wide:!0}];return r`<${R} view="methods" title="Auth methods" ready=${e.data!==void 0||e.error!==null} live=${e}
      actions=${r`<${N} need=${F} primary run=${()=>P(v("methods","",{new:"1"}))}>New method<//><${q} need=${F} />`}>
    <${se} label="auth methods" rows=${t} rowKey=${s=>s.Name} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.DisplayName??"",s.Description],type:s=>s.Type}}
      empty="There are no auth methods: people and machines come with tokens." /><//>`}function nd({name:e}){let t=e==="",n=M(t?"":`acl/auth-method/${encodeURIComponent(
e)}`).value,s=b(()=>V("edit"),[]),o=n.data??null,a=()=>{t?P(v("methods")):s.value=""},i=d=>ke(d,["CreateIndex","ModifyIndex"]),l=async(d,$,f)=>{let p=o?`acl/aut\
h-method/${encodeURIComponent(o.Name)}`:"acl/auth-method";if(o&&!await Qe(p,o,"The method"))return!1;let m=await j({method:"PUT",path:p,body:d,shown:Be(d),done:`\
Auth method ${d.Name} is saved.`,question:{title:`Save auth method ${d.Name}`,confirm:"Save",body:r`<${Re} before=${t?"":$} after=${f} />`}});return m&&t&&setTimeout(
()=>P(v("methods",[d.Name]))),m!==null},u=async()=>{await j({method:"DELETE",path:`acl/auth-method/${encodeURIComponent(e)}`,done:`Auth method ${e} is deleted.`,
question:{title:`Delete auth method ${e}`,danger:!0,confirm:"Delete",typed:e,body:r`<p>Its binding rules are deleted too, and so are <b>all tokens that came from logins by it</b>.</p>`}})&&
P(v("methods"))},c=o&&r`${s.value?null:r`<${N} need=${F} run=${()=>{s.value="1"}}>Edit<//>`}<${N} need=${F} danger run=${()=>void u()}>Delete<//><${q} need=${F} />`;
return r`
    <${R} view="method" title=${t?"New auth method":e} crumbs=${[["Auth methods",v("methods")]]} ready=${t||n.data!==void 0||n.error!==null} live=${n} actions=${c}>
      ${n.data===null?r`<${T}>There is no such auth method any more.<//>`:null}
      ${(t||o&&s.value)&&ie(F)?r`<${zs} what="The auth method" initial=${t?ed:i(o)} save=${l} close=${a} />`:t?r`<${q} need=${F} />`:null}
      ${o?r`
        <${w} title="Method"><${W} pairs=${[["Type",o.Type],["Shown as",o.DisplayName],["Description",o.Description],["Tokens last",o.MaxTokenTTL&&o.MaxTokenTTL!==
"0s"?o.MaxTokenTTL:"for ever"],["Tokens are",o.TokenLocality==="global"?"global":"local"]]} />
        <h3>Configuration</h3><${L} text=${JSON.stringify(Be(o.Config??{}),null,2)} block />
        ${Ms(o.Config)?r`<p class="hint">Secrets are covered.</p>`:null}<//>
        <${sd} method=${o} />
        <${$e} data=${Be(o)} />`:null}
    <//>`}function sd({method:e}){let t=M(`acl/binding-rules?authmethod=${encodeURIComponent(e.Name)}`).value,[n,s]=g(!1),o=t.data??[],a=i=>void j({method:"DELE\
TE",path:`acl/binding-rule/${i.ID}`,done:"The binding rule is deleted.",question:{title:"Delete a binding rule",danger:!0,confirm:"Delete",body:r`<p>Logins to which <code>${i.
Selector||"anything"}</code> applies no longer get ${i.BindType} <b>${i.BindName}</b>. Tokens that were made keep it until they expire.</p>`}});return r`<${w} title="Binding rules" actions=${n?
null:r`<${N} need=${F} run=${()=>s(!0)}>New binding rule<//>`}>
    ${n&&ie(F)?r`<${od} method=${e.Name} close=${()=>s(!1)} />`:null}
    ${o.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Binding rules"><table class="plain"><thead><tr><th>When</th><th>Gives</th><th>Description</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
      ${o.map(i=>r`<tr key=${i.ID}><td><code>${i.Selector||"always"}</code></td><td>${i.BindType} <b>${i.BindName}</b></td><td>${i.Description}</td><td><${N} need=${F} danger run=${()=>a(
i)}>Delete<//></td></tr>`)}</tbody></table></div>`:t.data!==void 0?r`<${T}>There are none: a login by this method gives nothing, and is refused.<//>`:null}<//>`}
function od({method:e,close:t}){let[n,s]=g("service"),[o,a]=g(""),[i,l]=g(""),[u,c]=g("");return r`<form onSubmit=${async $=>{$.preventDefault(),await j({method:"\
PUT",path:"acl/binding-rule",body:{AuthMethod:e,BindType:n,BindName:o,Selector:i,Description:u},done:"The binding rule is made.",question:{title:"Make a binding\
 rule",confirm:"Create",body:r`<p>A login by <b>${e}</b> to which <code>${i||"anything"}</code> applies gets ${n} <b>${o}</b>.</p>`}})&&t()}}>
    <${Ae} label="Gives" value=${n} set=${s} options=${[["service","a service identity"],["node","a node identity"],["role","a role"]]} />
    <${J} label="Its name" value=${o} set=${a} required hint="May hold variables like \${value.team}" />
    <${J} label="When (selector)" value=${i} set=${l} placeholder="always" hint='Like value.team == "dev"' />
    <${J} label="Description" value=${u} set=${c} />
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button><button type="submit" data-change class="primary" disabled=${!o}>Review and create</button></div></form>`}
var ed,Ui=E(()=>{z();Te();Y();Oe();Ze();we();he();lt();We();ed={Name:"",Type:"jwt",DisplayName:"",Description:"",MaxTokenTTL:"8h",Config:{OIDCDiscoveryURL:"http\
s://",BoundAudiences:[],ClaimMappings:{}}}});var Qs={};Ce(Qs,{default:()=>Ki});function Ki({id:e,rest:t}){let n=Xs(e,{policies:"Policies",roles:"Roles"}[e]??"Auth methods");return n||(e==="methods"?r`<${Pi} name=${t} />`:
e==="roles"?t?r`<${dd} id=${t} />`:r`<${ud} />`:t?r`<${rd} id=${t} />`:r`<${ad} />`)}function Fi({view:e,word:t}){return r`<${N} need=${F} primary run=${()=>P(v(
e,["new"]))}>New ${t}<//><${q} need=${F} />`}function ad(){let e=M("acl/policies").value,t=b(()=>e.data??[],[e.data]),n=[{id:"name",title:"Policy",width:"minmax\
(9rem, 1fr)",by:s=>s.Name,cell:s=>r`<a href=${v("policies",[s.ID])}>${s.Name}</a>`},{id:"description",title:"Description",width:"minmax(9rem, 2fr)",by:s=>s.Description,
cell:s=>s.Description,wide:!0},{id:"dcs",title:"Datacenters",width:"10rem",by:s=>(s.Datacenters??[]).join(" "),cell:s=>s.Datacenters?.length?r`<${Fe} tags=${s.Datacenters} max=${3} />`:
r`<span class="dim">all</span>`}];return r`<${R} view="policies" title="Policies" ready=${e.data!==void 0||e.error!==null} live=${e} actions=${r`<${Fi} view="policies" word="policy" />`}>
    <${se} label="policies" rows=${t} rowKey=${s=>s.ID} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.Description],dc:s=>s.Datacenters??[]}}
      empty="There are no policies, or this token may see none." /><//>`}function Wi({kind:e,id:t}){let n=M("acl/tokens").value,s=M(e==="Policies"?"acl/roles":"").
value,o=u=>(u[e]??[]).some(c=>c.ID===t),a=(n.data??[]).filter(o),i=(s.data??[]).filter(o),l=n.data!==void 0;return r`<${w} title="Used by">
    ${i.length?r`<h3>${S(i.length,"role")}</h3><${Ve} view="roles" links=${i} />`:null}
    ${a.length?r`<h3>${S(a.length,"token")}</h3><span class="tags">${a.slice(0,100).map(u=>r`
      <a class="tag" key=${u.AccessorID} href=${v("tokens",[u.AccessorID])}>${u.Description||u.AccessorID}</a>`)}</span>${a.length>100?r` <span class="hint">and ${a.
length-100} more</span>`:null}`:null}
    ${l&&!a.length&&!i.length?r`<${T}>${e==="Policies"?"No token or role has it.":"No token has it."}<//>`:null}<//>`}function rd({id:e}){let t=e==="new",n=M(t?
"":`acl/policy/${encodeURIComponent(e)}`).value,s=b(()=>V("edit"),[]),o=n.data??null,a=o?.ID===qi,i=o&&r`
    ${s.value?null:r`<${N} need=${F} run=${()=>{s.value="1"}}>Edit<//>`}
    ${a?null:r`<${N} need=${F} danger run=${()=>void id(o)}>Delete<//>`}<${q} need=${F} />`,l=()=>{t?P(v("policies")):s.value=""},{rules:u,problems:c}=b(()=>yn(
o?.Rules??""),[o?.Rules]);return r`
    <${R} view="policy" title=${t?"New policy":o?.Name??"Policy"} crumbs=${[["Policies",v("policies")]]} ready=${t||n.data!==void 0||n.error!==null} live=${n} actions=${i}>
      ${n.data===null?r`<${T}>There is no such policy any more.<//>`:null}
      ${(t||o&&s.value)&&ie(F)?r`<${ld} policy=${o} close=${l} />`:t?r`<${q} need=${F} />`:null}
      ${o?r`
        <${w} title="Policy">
          <${W} pairs=${[["ID",r`<code>${o.ID}</code> <${L} text=${o.ID} />`],["Description",o.Description],["Datacenters",o.Datacenters?.length?o.Datacenters.join(
", "):"all"],["Index",o.ModifyIndex]]} />
        <//>
        ${s.value?null:r`<${w} title="Rules">
          ${o.Rules?r`<${L} text=${o.Rules} block />`:r`<${T}>It has no rules.<//>`}
          <${Bi} problems=${c} />
          ${u.length?r`<details><summary>${S(u.length,"rule")} one by one</summary><table class="plain"><thead><tr><th>Resource</th><th>Name</th><th>Level</th></tr></thead><tbody>
            ${u.map(d=>r`<tr><td>${d.resource}</td><td>${ct.includes(d.resource)?"":r`${d.prefix?"all that begin with ":""}<code>${JSON.stringify(d.name)}</code>`}</td><td>${d.
level}${d.intentions?`, intentions ${d.intentions}`:""}</td></tr>`)}</tbody></table></details>`:null}
        <//>`}
        <${Wi} kind="Policies" id=${o.ID} />
        <${$e} data=${o} />`:null}
    <//>`}async function id(e){await j({method:"DELETE",path:`acl/policy/${e.ID}`,done:`Policy ${e.Name} is deleted.`,question:{title:`Delete policy ${e.Name}`,
danger:!0,confirm:"Delete",typed:e.Name,body:r`<p>Tokens and roles that have it lose what it gives, at once.</p>`}})&&P(v("policies"))}function Bi({problems:e,jump:t}){
return r`<ul class="problems" aria-label="Remarks on the rules">${e.map(n=>r`<li class=${n.error?"s3":"s2"}>
    ${t?r`<button type="button" class="quiet" onClick=${()=>t(n.line)}>line ${n.line}</button>`:`line ${n.line}: `}${n.error?"":"Note: "}${n.text}</li>`)}</ul>`}
function ld({policy:e,close:t}){let n=b(()=>e,[]),[s,o]=g(n?.Name??""),[a,i]=g(n?.Description??""),[l,u]=g(n?.Datacenters??[]),[c,d]=g(n?.Rules??""),{problems:$}=b(
()=>yn(c),[c]),{ref:f,jump:p}=pi(),m=n?.ID===qi,y=ji(n?.Name??"",n?.Description??"",n?.Datacenters??[],n?.Rules??""),h=ji(s,a,l,c);pn(y!==h,"The policy");let k=s!==
""&&!/^[A-Za-z0-9\-_]{1,128}$/.test(s);return r`<form class="card" onSubmit=${async K=>{K.preventDefault();let xe=n?`acl/policy/${n.ID}`:"acl/policy";if(n&&!await Qe(
xe,n,"The policy"))return;let be=await j({method:"PUT",path:xe,body:{...n?{ID:n.ID}:{},Name:s,Description:a,Rules:c,Datacenters:l},done:`Policy ${s} is saved.`,
question:{title:n?`Save policy ${s}`:`Make policy ${s}`,confirm:n?"Save":"Create",body:r`${$.some(He=>He.error)?r`<p class="note warn">This page thinks the agent will refuse these rules.</p>`:
null}<${Re} before=${n?y:""} after=${h} />`}});be&&(Ne.value="",n?t():P(v("policies",[be.data.ID])))}}>
    <${J} label="Name" value=${s} set=${o} required disabled=${m} hint=${k?"Letters, digits, dashes and underscores only, at most 128.":void 0} />
    <${J} label="Description" value=${a} set=${i} disabled=${m} />
    <${$n} label="Datacenters" names=${l} set=${u} known=${[D.value.dc]} hint="None: all" />
    <label class="field wide-field"><span>Rules (HCL or JSON)</span>
      <textarea class="code" rows="14" spellcheck=${!1} ref=${f} value=${c} disabled=${m} aria-invalid=${$.some(K=>K.error)} onInput=${K=>d(K.target.value)}></textarea></label>
    <div role="status">${$.length?r`<${Bi} problems=${$} jump=${p} />`:r`<p class="hint">${c.trim()?"Nothing is wrong with these rules.":"No rules yet."}</p>`}</div>
    ${m?null:r`<${cd} add=${K=>d(`${c}${c&&!c.endsWith(`
`)?`
`:""}${K}
`)} />`}
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!s||k||y===h}>Review and ${n?"save":"create"}</button></div></form>`}function ji(e,t,n,s){return`\
Name: ${e}
Description: ${t}
Datacenters: ${n.join(", ")||"all"}
Rules:
${s}`}function cd({add:e}){let[t,n]=g("key"),[s,o]=g(!0),[a,i]=g(""),[l,u]=g("read"),c=ct.includes(t),d=Qn(t),$=d.includes(l)?l:"read";return r`<fieldset class="names wide-field"><legend>Add a rule</legend><div class="ask-line">
    <${Ae} label="Resource" value=${t} set=${n} options=${[...Zn,...ct].sort()} />
    ${c?null:r`<${Ae} label="Which" value=${s?"prefix":"exact"} set=${f=>o(f==="prefix")} options=${[["prefix","all that begin with"],["exact","exactly"]]} />
      <${J} label="Rule's name" value=${a} set=${i} placeholder=${s?"empty: all":""} />`}
    <${Ae} label="Level" value=${$} set=${u} options=${d} /></div>
    <div class="buttons left"><button type="button" onClick=${()=>e(bn({resource:t,prefix:s,name:a,level:$}))}>Add the rule</button></div></fieldset>`}function ud(){
let e=M("acl/roles").value,t=b(()=>e.data??[],[e.data]),n=[{id:"name",title:"Role",width:"minmax(9rem, 1fr)",by:s=>s.Name,cell:s=>r`<a href=${v("roles",[s.ID])}>${s.
Name}</a>`},{id:"description",title:"Description",width:"minmax(9rem, 1fr)",by:s=>s.Description,cell:s=>s.Description,wide:!0},{id:"policies",title:"Policies an\
d identities",width:"minmax(8rem, 2fr)",by:s=>(s.Policies??[]).map(o=>o.Name).join(" "),cell:s=>r`<${Ve} view="policies" links=${s.Policies} />${[...je(s).services,
...je(s).nodes].map(o=>r` <span class="badge">${o}</span>`)}`}];return r`<${R} view="roles" title="Roles" ready=${e.data!==void 0||e.error!==null} live=${e} actions=${r`<${Fi} view="roles" word="role" />`}>
    <${se} label="roles" rows=${t} rowKey=${s=>s.ID} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.Description],policy:s=>(s.Policies??[]).map(o=>o.Name??"")}}
      empty="There are no roles, or this token may see none." /><//>`}function dd({id:e}){let t=e==="new",n=M(t?"":`acl/role/${encodeURIComponent(e)}`).value,s=b(
()=>V("edit"),[]),o=n.data??null,a=async()=>{if(!o)return;await j({method:"DELETE",path:`acl/role/${o.ID}`,done:`Role ${o.Name} is deleted.`,question:{title:`De\
lete role ${o.Name}`,danger:!0,confirm:"Delete",typed:o.Name,body:r`<p>Tokens that have it lose what it gives, at once.</p>`}})&&P(v("roles"))},i=o&&r`${s.value?
null:r`<${N} need=${F} run=${()=>{s.value="1"}}>Edit<//>`}<${N} need=${F} danger run=${()=>void a()}>Delete<//><${q} need=${F} />`,l=()=>{t?P(v("roles")):s.value=
""};return r`
    <${R} view="role" title=${t?"New role":o?.Name??"Role"} crumbs=${[["Roles",v("roles")]]} ready=${t||n.data!==void 0||n.error!==null} live=${n} actions=${i}>
      ${n.data===null?r`<${T}>There is no such role any more.<//>`:null}
      ${(t||o&&s.value)&&ie(F)?r`<${fd} role=${o} close=${l} />`:t?r`<${q} need=${F} />`:null}
      ${o?r`
        <${w} title="Role"><${W} pairs=${[["ID",r`<code>${o.ID}</code> <${L} text=${o.ID} />`],["Description",o.Description],["Policies",o.Policies&&r`<${Ve} view="policies" links=${o.
Policies} />`],["Service identities",je(o).services.join(", ")],["Node identities",je(o).nodes.join(", ")],["Index",o.ModifyIndex]]} /><//>
        <${Wi} kind="Roles" id=${o.ID} />
        <${$e} data=${o} />`:null}
    <//>`}function fd({role:e,close:t}){let n=b(()=>e,[]),[s,o]=g(n?.Name??""),[a,i]=g(n?.Description??""),[l,u]=g(()=>hn(n??{})),c=D.value.dc,d=(y,h,k)=>({Name:y,
Description:h,...ke(mn(k,c),["Roles"])}),$=d(s,a,l),f=JSON.stringify(d(n?.Name??"",n?.Description??"",hn(n??{})),null,2),p=JSON.stringify($,null,2);return pn(f!==
p,"The role"),r`<form class="card" onSubmit=${async y=>{y.preventDefault();let h=n?`acl/role/${n.ID}`:"acl/role";if(n&&!await Qe(h,n,"The role"))return;let k=await j(
{method:"PUT",path:h,body:n?{ID:n.ID,...$}:$,done:`Role ${s} is saved.`,question:{title:n?`Save role ${s}`:`Make role ${s}`,confirm:n?"Save":"Create",body:r`<${Re} before=${n?
f:""} after=${p} />`}});k&&(Ne.value="",n?t():P(v("roles",[k.data.ID])))}}>
    <${J} label="Name" value=${s} set=${o} required />
    <${J} label="Description" value=${a} set=${i} />
    <${Zs} grants=${l} set=${u} ofRole />
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!s||f===p}>Review and ${n?"save":"create"}</button></div></form>`}var qi,eo=E(()=>{z();Te();Y();
Oe();me();Ze();sa();we();he();lt();We();Ui();qi="00000000-0000-0000-0000-000000000001"});var Gi={};Ce(Gi,{default:()=>Ji});function Hi(){try{return JSON.parse(sessionStorage.getItem(aa)??"null")}catch{return null}}function wn(e){return e instanceof re?
/ACL support disabled/i.test(e.message)?"There is no access control here: no token is needed.":e.status===404?"This agent has no such login.":/ACL not found/i.test(
e.message)?"The agent does not know it.":e.message:String(e)}async function $d(e){try{await ne("acl/token/self",{secret:e})}catch(t){return wn(t)}return O.value=
e,""}function Vi(){let e=new URL(C.UiRoot,location.href.split(/[?#]/)[0]).href;return[e,new URL("oidc/callback",e).href]}async function pd(e){let t=crypto.getRandomValues(
new Uint8Array(24)).reduce((s,o)=>s+o.toString(16).padStart(2,"0"),""),n="";for(let s of Vi())try{let{data:o}=await te("POST","acl/oidc/auth-url",{secret:"",body:{
AuthMethod:e,RedirectURI:s,ClientNonce:t,Meta:{}}}),a=new URL(o.AuthURL);if(!/^https?:$/.test(a.protocol))return"The provider's address is not one of the web.";
let i={method:e,nonce:t,state:a.searchParams.get("state")??"",dc:D.peek().dc};return sessionStorage.setItem(aa,JSON.stringify(i)),location.assign(a.href),""}catch(o){
if(n||=wn(o),!(o instanceof re&&/redirect/i.test(o.message)))return n}return`${n} This page comes back to ${Vi()[0]}: the method's AllowedRedirectURIs must hold\
 it.`}async function hd(){let e=Hi();if(!e?.answer)return"";sessionStorage.removeItem(aa);let t=new URLSearchParams(e.answer);if(!e.nonce)return"An answer to a \
login came that was not begun in this tab. It is ignored.";if(e.state&&t.get("state")!==e.state)return"The answer belongs to another login. It is ignored.";if(t.
has("error"))return`The provider refused: ${t.get("error_description")||t.get("error")}`;try{let{data:n}=await te("POST","acl/oidc/callback",{secret:"",dc:e.dc,
body:{AuthMethod:e.method,State:t.get("state"),Code:t.get("code"),ClientNonce:e.nonce}});return O.value=n.SecretID,U(`Logged in by ${e.method}.`),""}catch(n){return`\
The login failed. ${wn(n)}`}}function Ji(){let[e,t]=g(""),[n,s]=g(!!Hi()?.answer),[o,a]=g(void 0);return A(()=>{hd().then(t).finally(()=>s(!1))},[]),A(()=>{let i=!1;
return a(void 0),ne("acl/token/self").then(l=>{i||a(l)},l=>{i||a({error:wn(l)})}),()=>{i=!0}},[O.value,D.value.dc]),r`
    <${R} view="login" title=${O.value?"Your token":"Log in"} ready=${o!==void 0&&!n}>
      ${e?r`<div class="note bad" role="alert">${e}</div>`:null}
      ${Ee.value===!1?r`<${T}>There is no access control here: everybody may do everything, and no token is needed.<//>`:null}
      ${O.value?r`<${md} self=${o} />`:null}
      ${Ee.value===!1?null:r`<div class="cards"><${vd} /><${gd} /></div>`}
    <//>`}function md({self:e}){let t=async()=>{let s=!!e?.AuthMethod;if(await De({title:"Log out",confirm:"Log out",body:s?r`<p>This token was made for a login by <b>${e.
AuthMethod}</b>. Logging out destroys it: whoever else uses it loses it too.</p>`:r`<p>This page forgets the token. The token itself stays as it is, as it was not made for a login.</p>`})){
if(s)try{await te("POST","acl/logout")}catch(a){U(`The token could not be destroyed: ${wn(a)} It is forgotten here all the same.`,!0),O.value="";return}O.value=
"",U(s?"Logged out: the token is destroyed.":"Logged out: the token is forgotten here.")}},n=je(e??{});return r`
    <${w} title=${e?.Description||"Your token"} actions=${r`<button type="button" onClick=${t}>Log out</button>`}>
      ${e?.error?r`<p class="note bad" role="alert">${e.error} <button type="button" onClick=${()=>{O.value=""}}>Forget it</button></p>`:r`
        <${W} pairs=${[["Accessor",e?.AccessorID&&r`<a href=${v("tokens",[e.AccessorID])}><code>${e.AccessorID}</code></a> <${L} text=${e.AccessorID} />`],["Pol\
icies",e?.Policies&&r`<${Ve} view="policies" links=${e.Policies} />`],["Roles",e?.Roles&&r`<${Ve} view="roles" links=${e.Roles} />`],["Identities",[...n.services,
...n.nodes].join(", ")],["From",e?.AuthMethod?r`a login by <a href=${v("methods",[e.AuthMethod])}>${e.AuthMethod}</a>`:"a token that was given"],["Scope",e?.Local?
"this datacenter":"all datacenters"],["Created",e?.CreateTime&&r`<${Xe} at=${Date.parse(e.CreateTime)} />`],["Expires",e&&r`<${Yn} at=${vt(e)} />`]]} />
        <${$e} data=${ke(e,["SecretID"])} />`}
      <${Wt} label="Remember the token on this computer" value=${Ct.value} set=${s=>{Ct.value=s}} />
      <p class="hint">${Ct.value?"It stays in this browser until you log out.":"It is kept for this tab only, until you close it."}</p>
    <//>`}function vd(){let[e,t]=g(""),[n,s]=g(""),o=async a=>{a.preventDefault();let i=await $d(e.trim());s(i&&`This token cannot be used. ${i}`),i||(t(""),U("\
The token is in use."))};return r`<${w} title=${O.value?"Use another token":"With a token"}>
    <form onSubmit=${o}>
      <${J} label="Secret ID" type="password" value=${e} set=${t} required />
      <${Wt} label="Remember on this computer" value=${Ct.value} set=${a=>{Ct.value=a}} />
      ${n?r`<p class="note bad" role="alert">${n}</p>`:null}
      <div class="buttons left"><button type="submit" class="primary" disabled=${!e.trim()}>Use it</button></div>
    </form><//>`}function gd(){let[e,t]=g([]),[n,s]=g(""),[o,a]=g(""),[i,l]=g(""),[u,c]=g("");A(()=>{ne("acl/auth-methods").then(p=>t(p??[]),()=>{})},[O.value]);
let d=e.find(p=>p.Name===n),$=o||(d?d.Type==="oidc"?"browser":"bearer":"browser");return r`<${w} title="By an auth method">
    <form onSubmit=${async p=>{if(p.preventDefault(),c(""),$==="browser"){c(await pd(n));return}try{let{data:m}=await te("POST","acl/login",{secret:"",body:{AuthMethod:n,
BearerToken:i.trim(),Meta:{}}});O.value=m.SecretID,l(""),U(`Logged in by ${n}.`)}catch(m){let y=m instanceof re&&m.status===403?`${m.message}: there is no such \
method, or no binding rule of it gives you anything.`:wn(m);c(i.trim()?y.replaceAll(i.trim(),"(the bearer token)"):y)}}}>
      <${J} label="Method" value=${n} set=${p=>{s(p),a("")}} required list=${e.map(p=>p.Name)}
        hint=${d?`${d.DisplayName||d.Name}, ${d.Type}`:"The name of the auth method"} />
      <${Ae} label="How" value=${$} set=${a} options=${[["browser","with a browser (OIDC)"],["bearer","with a bearer token (JWT, Kubernetes)"]]} />
      ${$==="bearer"?r`<label class="field"><span>Bearer token</span><textarea class="code" rows="4" spellcheck=${!1} autocomplete="off" required
        value=${i} onInput=${p=>l(p.target.value)}></textarea></label>`:null}
      ${u?r`<p class="note bad" role="alert">${u}</p>`:null}
      <div class="buttons left"><button type="submit" disabled=${!n||$==="bearer"&&!i.trim()}>${$==="browser"?"Go to the provider":"Log in"}</button></div>
    </form><//>`}var aa,zi=E(()=>{z();ye();Oe();Y();fe();Ze();we();he();lt();aa="proconsul.oidc"});var Qi={};Ce(Qi,{default:()=>Yi});function Yi(){let e=b(()=>V("tab","raft"),[]),t=x.value?ia:[...ia,...bd],n=t.find(([s])=>s===e.value)??ia[0];return r`<${R} view="operations" title="Operations">
    <${mt} label="Operations" choice=${e} tabs=${t.map(([s,o])=>[s,o])} />
    <div class="tab-body" key=${n?.[0]}>${n?.[2]()}</div><//>`}function _t({live:e,missing:t="This agent has no such thing.",children:n}){return e.error?.status===
404&&e.data===void 0?r`<${T}>${t}<//>`:e.data===void 0&&!e.error?r`<${T}>Asking.<//>`:r`<${To} live=${e} />${e.data!==void 0?n:null}`}function Zi(e){try{return e.
error?.status===429?JSON.parse(e.error.message):e.data}catch{return e.data}}function wd(){let e=M("operator/raft/configuration").value,t=Zi(Z("operator/autopilo\
t/health").value),n=Z("agent/self").value.data,s=e.data?.Servers??[],o=new Map((t?.Servers??[]).map(l=>[l.ID,l])),a=Math.max(0,...[...o.values()].map(l=>l.LastIndex)),
i=l=>{let u=o.get(l.ID),c=u?.LastIndex?a-u.LastIndex:null;return r`<tr key=${l.ID}><td><a href=${v("nodes",[l.Node])}>${l.Node}</a>${l.Leader?r` <span class="badge">leader</span>`:
null}${l.Voter?null:r` <span class="badge">no vote</span>`}</td>
      <td><code class="nowrap">${l.Address}</code></td>
      <td>${u?r`<${H} status=${u.Healthy?"passing":"critical"} text=${u.Healthy?"healthy":u.SerfStatus} />`:r`<span class="dim">not known</span>`}</td>
      <td>${u?.LastIndex??""}${c?r` <span class="hint">${S(c,"entry","entries")} behind</span>`:null}</td><td>${u?.LastContact??""}</td><td>${u?.Version??""}</td>
      <td><div class="actions">${_e&&l.Voter&&!l.Leader?r`<${N} need=${kn} run=${()=>void _d(l)}>Make leader<//>`:null}
        ${l.Leader?null:r`<${N} need=${kn} danger run=${()=>void kd(l)}>Remove<//>`}</div></td></tr>`};return r`
    <${w} title="Servers" actions=${r`<${q} need=${kn} />`}>
      <${_t} live=${e}>
        ${t?r`<p>${t.Healthy?"All servers are healthy.":"Not all servers are healthy."} ${S(t.FailureTolerance,"more voter")} may fail.</p>`:null}
        <div class="scroll-x" tabindex="0" role="region" aria-label="Raft servers"><table class="plain"><thead><tr><th>Server</th><th>Address</th><th>State</th><th>Last index</th><th>Last contact</th><th>Version</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
          ${s.map(i)}</tbody></table></div>
        <${$e} data=${e.data} />
      <//>
    <//>
    ${n?.Stats?.raft&&!x.value?r`<${w} title=${`Raft as ${C.NodeName||"this agent"} sees it`}><${W} pairs=${Object.entries(n.Stats.raft)} /><//>`:null}`}function kd(e){
return j({method:"DELETE",path:"operator/raft/peer",params:{id:e.ID},done:`${e.Node} is no Raft peer any more.`,question:{title:`Remove ${e.Node} from Raft`,danger:!0,
confirm:"Remove",typed:e.Node,body:r`<p>This is for a server that is gone for good. It takes its vote away; if it still runs, it comes back as soon as it joins. The quorum may change.</p>`}})}
function _d(e){return j({method:"POST",path:"operator/raft/transfer-leader",params:{id:e.ID},done:`${e.Node} was asked to lead.`,question:{title:`Make ${e.Node}\
 the leader`,confirm:"Hand over",body:r`<p>The leader steps back for it. Writes wait for a moment.</p>`}})}function xd(){let e=Z("operator/autopilot/health").value,
t=Z(_e?"operator/autopilot/state":"").value.data,n=Z("operator/autopilot/configuration",1e4).value,[s,o]=g(!1),a=Zi(e);return r`
    <${w} title="Health">
      ${a?r`<p><${H} status=${a.Healthy?"passing":"critical"} text=${a.Healthy?"healthy":"not healthy"} />, ${S(a.FailureTolerance,"more voter")} may fail.</p>
        <div class="scroll-x" tabindex="0" role="region" aria-label="Health of servers"><table class="plain"><thead><tr><th>Server</th><th>State</th><th>Stable for</th><th>Term</th><th>Why</th></tr></thead><tbody>
          ${(a.Servers??[]).map(i=>r`<tr key=${i.ID}><td>${i.Name}${i.Voter?null:r` <span class="badge">no vote</span>`}</td>
            <td><${H} status=${i.Healthy?"passing":"critical"} text=${i.Healthy?"healthy":i.SerfStatus} /></td>
            <td>${Date.parse(i.StableSince)>0?r`<${Xe} at=${Date.parse(i.StableSince)} />`:""}</td><td>${i.LastTerm}</td><td>${(t?.Servers?.[i.ID]?.Why??[]).join(
"; ")}</td></tr>`)}</tbody></table></div>
        ${t?.Next?r`<p>Next: ${t.Next}.</p>`:null}<${$e} data=${t??a} />`:r`<${_t} live=${e} />`}
    <//>
    <${w} title="Settings" actions=${s||!n.data?null:r`<${N} need=${kn} run=${()=>o(!0)}>Edit<//><${q} need=${kn} />`}>
      ${s&&ie(kn)?r`<${Sd} config=${n.data} close=${()=>o(!1)} />`:r`<${_t} live=${n}>
        <${W} pairs=${Object.entries(ke(n.data,["CreateIndex"])).map(([i,l])=>[i,String(l)||r`<span class="dim">none</span>`])} /><//>`}
    <//>`}function Sd({config:e,close:t}){let n=b(()=>e,[]),s=b(()=>Object.keys(ke(n,["CreateIndex","ModifyIndex"])),[]),[o,a]=g(n),i=u=>s.map(c=>`${c}: ${u[c]}`).
join(`
`);return r`<form onSubmit=${async u=>{u.preventDefault(),await j({method:"PUT",path:"operator/autopilot/configuration",params:{cas:n.ModifyIndex},body:ke(o,["C\
reateIndex","ModifyIndex"]),done:"Autopilot's settings are saved.",refused:({data:d})=>d===!1?"Somebody changed the settings meanwhile. Nothing was saved; close\
 the form to see them.":void 0,question:{title:"Save autopilot's settings",confirm:"Save",body:r`<${Re} before=${i(n)} after=${i(o)} />`}})&&t()}}>${s.map(u=>{let c=o[u],
d=$=>a({...o,[u]:typeof n[u]=="number"?Number($):$});return typeof n[u]=="boolean"?r`<${Wt} key=${u} label=${u} value=${c} set=${d} />`:r`<${J} key=${u} label=${u} type=${typeof n[u]==
"number"?"number":"text"} value=${String(c)} set=${d} />`})}<div class="buttons"><button type="button" onClick=${t}>Cancel</button><button type="submit" data-change class="primary" disabled=${i(
n)===i(o)}>Review and save</button></div></form>`}function Nd(){let e=Z("agent/self",6e4).value,t=e.data?.Stats?.serf_lan?.encrypted==="false",n=e.data!==void 0||
e.error!==null,s=Z(n&&!t?"operator/keyring":"",1e4).value,[o,a]=g(""),i=async l=>{l.preventDefault(),await j({method:"POST",path:"operator/keyring",body:{Key:o.
trim()},shown:{Key:"$KEY"},done:"The key is installed.",question:{title:"Install a gossip key",confirm:"Install",body:r`<p>All members of all datacenters learn it. It is not used until it is made the primary key.</p>`}})&&
a("")};return r`
    ${t?r`<${T}>Gossip is not encrypted here, so there are no keys: the agents have no <code>encrypt</code> in their settings.<//>`:r`<${_t} live=${s}>${(s.data??
[]).map(l=>r`<${Td} key=${`${l.WAN} ${l.Datacenter} ${l.Segment}`} ring=${l} />`)}<//>`}
    ${t?null:ie(to)&&s.data?r`<${w} title="Install a key"><form onSubmit=${i}><${J} label="Key (16, 24 or 32 bytes in base64)" value=${o} set=${a} required />
      <div class="buttons left"><button type="button" onClick=${()=>a(Ge(crypto.getRandomValues(new Uint8Array(32))))}>Make one</button><button type="submit" data-change class="primary" disabled=${!o.
trim()}>Install</button></div></form><//>`:r`<${q} need=${to} />`}`}function Td({ring:e}){let t=e.WAN?"WAN":`${e.Datacenter} LAN${e.Segment?`, segment ${e.Segment}`:
""}`,n=o=>j({method:"PUT",path:"operator/keyring",body:{Key:o},shown:{Key:"$KEY"},done:"The key is the primary one.",question:{title:"Use this key",confirm:"Use\
 it",body:r`<p>From now on all members encrypt with it. Those that do not have it can no longer read: it has to be on every one of them, in every datacenter.</p>`}}),
s=o=>j({method:"DELETE",path:"operator/keyring",body:{Key:o},shown:{Key:"$KEY"},done:"The key is removed.",question:{title:"Remove this key",danger:!0,confirm:"\
Remove",typed:"remove",body:r`<p>Members that still encrypt with it are no longer understood, and are thought to have failed.</p>`}});return r`<${w} title=${`Ke\
ys of ${t}`}><p class="hint">${S(e.NumNodes,"member")}</p>
    <div class="scroll-x" tabindex="0" role="region" aria-label=${`Keys of ${t}`}><table class="plain"><thead><tr><th>Key</th><th>On members</th><th>Use</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
    ${Object.entries(e.Keys??{}).map(([o,a])=>{let i=!!e.PrimaryKeys?.[o]||!e.PrimaryKeys&&Object.keys(e.Keys)[0]===o;return r`<tr key=${o}><td><${Ys} text=${o} what="the key" /></td><td>${a} of ${e.
NumNodes}${Number(a)<e.NumNodes?r` <span class="status s2"><i aria-hidden="true"></i>not on all</span>`:null}</td>
        <td>${i?r`<${H} status="passing" text=${`primary on ${e.PrimaryKeys?.[o]??a}`} />`:"to read only"}</td>
        <td><div class="actions">${i?null:r`<${N} need=${to} run=${()=>void n(o)}>Use<//><${N} need=${to} danger run=${()=>void s(o)}>Remove<//>`}</div></td></tr>`})}</tbody></table></div><//>`}
function Dd(e,t){let n=URL.createObjectURL(e),s=document.createElement("a");s.href=n,s.download=t,s.click(),setTimeout(()=>URL.revokeObjectURL(n),1e4)}function Cd(){
let[e,t]=g(""),n=ee(null),s=async()=>{t("The leader writes the snapshot.");try{let{dc:a}=D.peek(),i=await or("snapshot");Dd(i,`consul-${a||"dc"}-${new Date().toISOString().
slice(0,19).replaceAll(":","")}.snap`),U(`A snapshot of ${tt(i.size)} is downloaded.`)}catch(a){U(a instanceof Error?a.message:String(a),!0)}t("")},o=async()=>{
let a=n.current?.files?.[0],i=x.peek();if(!a)return U("Choose a snapshot first.",!0);if(await De({title:`Restore a snapshot into ${D.peek().dc}`,danger:!0,confirm:"\
Restore",typed:"restore",curl:`${ge("PUT",ce("snapshot"))} --data-binary @backup.snap`,body:r`<p>Everything the datacenter <b>${D.peek().dc}</b> knows is replaced by <b>${a.
name}</b> (${tt(a.size)}): catalog, keys, sessions, access control. What was written since is lost, also tokens: yours may be among them.</p>`})){t("The servers\
 take the snapshot over.");try{await te("PUT","snapshot",{dc:i,body:a}),U("The snapshot is restored.")}catch(u){U(u instanceof Error?u.message:String(u),!0)}return t(
"")}};return r`<${w} title="Save">
      <p>The whole state of the servers of ${D.value.dc} as one file: catalog, keys, sessions, access control. It holds secrets.</p>
      ${at(ra)?r`<button type="button" disabled=${e!==""} onClick=${s}>Download a snapshot</button>`:r`<span class="hint">needs acl:write</span>`}
      <${L} text=${ge("GET",ce("snapshot")).replace(/^curl/,"curl -o backup.snap")} block />
    <//>
    ${ie(ra)?r`<${w} title="Restore">
      <label class="field"><span>Snapshot file</span><input type="file" ref=${n} /></label>
      <button type="button" data-change class="danger" disabled=${e!==""} onClick=${()=>void o()}>Restore</button><//>`:r`<${q} need=${ra} />`}
    <p role="status">${e}</p>`}function Ad(){let e=Z("agent/metrics").value,t=b(()=>(e.data&&Sr(Xi,e.data,Date.now()),[...Xi.values()]),[e.data]);return r`<p class="hint">Of the agent this page comes from, asked every 5 seconds; the agent sums up 10. Gauges as they are, counters per interval, samples by their mean.</p>
    <${_t} live=${e}><${se} label="metrics" rows=${t} rowKey=${s=>`${s.kind} ${s.name}`} columns=${[{id:"name",title:"Metric",width:"minmax(10rem, 2fr)",by:s=>s.
name,cell:s=>r`<span title=${s.name}>${s.name}</span>`},{id:"kind",title:"Kind",width:"5rem",by:s=>s.kind,cell:s=>s.kind,wide:!0},{id:"value",title:"Now",width:"\
6rem",by:s=>s.values.at(-1)??0,cell:s=>r`<b title=${Object.entries(s.last).map(([o,a])=>`${o}: ${a}`).join(`
`)}>${Vn(s.values.at(-1)??0)}</b>`},{id:"line",title:"Since the page was opened",width:"minmax(8rem, 1fr)",wide:!0,cell:s=>r`<${Id} row=${s} />`},{id:"range",title:"\
Lowest to highest",width:"11rem",wide:!0,cell:s=>r`<span class="dim">${Vn(Math.min(...s.values))} to ${Vn(Math.max(...s.values))}</span>`}]} order="name"
      fields=${{"":s=>s.name,kind:s=>s.kind}} quick=${[["kind:gauge","gauges"],["kind:counter","counters"],["kind:sample","samples"]]} /><//>`}function Id({row:e}){
return r`<svg class="spark" role="img" aria-label=${`${e.name}: ${e.values.slice(-8).map(Vn).join(", ")}`} viewBox="0 0 160 24" preserveAspectRatio="none">
    <polyline points=${e.values.length>1?Nr(e.values,160,24):"0,12 160,12"} /></svg>`}function Ed(){let e=Z("agent/self",3e4).value,t=b(()=>Eo(ke(e.data,["Coord",
"Member"])),[e.data]);return r`<p class="hint">What this agent goes by now: its settings with all defaults (DebugConfig) and its counts (Stats).</p>
    <${_t} live=${e}><${se} label="settings" rows=${t} rowKey=${s=>s.name} columns=${[{id:"name",title:"Setting",width:"minmax(9rem, 1fr)",by:s=>s.name,cell:s=>r`<code title=${s.
name}>${s.name}</code>`},{id:"value",title:"Value",width:"minmax(7rem, 1fr)",by:s=>s.value,cell:s=>r`<span title=${s.value}>${s.value}</span>`}]} order="name"
      fields=${{"":s=>[s.name,s.value],name:s=>s.name,value:s=>s.value}} quick=${[["name:Stats","counts"],["name:DebugConfig","settings"]]} />
      <${$e} data=${e.data} label="agent/self" /><//>`}function Od(){let e=Z("agent/self",1e4).value,t=Z("agent/checks").value.data??{},[n,s]=g(""),o=t._node_maintenance,
a=C.NodeName||e.data?.Config?.NodeName||"this agent",i=yd(),l={Resource:"node",Access:"write",Segment:C.NodeName},u=()=>j({method:"PUT",path:"agent/maintenance",
params:o?{enable:"false"}:{enable:"true",reason:n||"Set on the web page"},done:o?`${a} serves again.`:`${a} is in maintenance.`,question:{title:o?`End maintenan\
ce of ${a}`:`Put ${a} into maintenance`,confirm:o?"End maintenance":"Start maintenance",typed:o?void 0:a,body:o?r`<p>Its services are found again.</p>`:r`<p>A critical check is put on the node: none of its services is found any more until it ends. They go on running.</p>`}}),
c=()=>j({method:"PUT",path:"agent/reload",done:`${a} has read its settings.`,question:{title:`Reload ${a}`,confirm:"Reload",body:r`<p>It reads its configuration files again. What is wrong in them is refused, and the log says why.</p>`}}),
d=()=>j({method:"PUT",path:"agent/leave",done:`${a} leaves.`,question:{title:`Make ${a} leave`,danger:!0,confirm:"Leave",typed:a,body:r`<p>It tells the others and ends: this page ends with it. Its services are taken out of the catalog. It comes back when somebody starts it.${e.
data?.Config?.Server?" It is a server: its vote is taken away.":""}</p>`}});return r`<${w} title=${a} actions=${r`<${N} need=${i} run=${()=>void c()}>Reload<//><${N} need=${i} danger run=${()=>void d()}>Leave<//><${q} need=${i} />`}>
      <${_t} live=${e}><${W} pairs=${[["Version",[e.data?.Config?.Version,C.Version&&`proconsul ${C.Version}`].filter(Boolean).join(", ")],["Role",e.data?.Config?.
Server?"server":"client"],["Datacenter",e.data?.Config?.Datacenter],["Node ID",e.data?.Config?.NodeID],["Address",e.data?.Member?.Addr],["Health score",e.data?.
Stats?.serf_lan?.health_score]]} /><//>
    <//>
    <${w} title="Maintenance" actions=${r`<${q} need=${l} />`}>
      ${o?r`<p><${H} status="maintenance" text="in maintenance" />: ${o.Notes}</p>`:r`<p>The node serves.</p>`}
      ${ie(l)&&!o?r`<${J} label="Reason" value=${n} set=${s} />`:null}
      <${N} need=${l} danger=${!o} run=${()=>void u()}>${o?"End maintenance":"Start maintenance"}<//>
    <//>
    ${_e?r`<${Rd} need=${i} />`:null}`}function Rd({need:e}){let t=Z("agent/sync").value,n=t.data,s=()=>j({method:"PUT",path:"agent/sync",done:"Compared with th\
e catalog."}),o=[...Object.entries(n?.Services??{}).map(([a,i])=>["service",a,i]),...Object.entries(n?.Checks??{}).map(([a,i])=>["check",a,i])];return r`<${w} title="In the catalog" actions=${r`<${N} need=${e} run=${()=>void s()}>Compare now<//>`}>
    <${_t} live=${t}><${W} pairs=${[["Node",n&&r`<${H} status=${n.Node.InSync?"passing":"critical"} text=${n.Node.InSync?"in sync":"not in sync"} /> ${n.Node.LastError}`],
["Servers",n?.ServersReachable?"reachable":`not reachable: ${n?.LastError??""}`],["Compared",Date.parse(n?.LastComparison)>0?r`<${Xe} at=${Date.parse(n.LastComparison)} />`:
null],["Again",Date.parse(n?.NextComparison)>0?new Date(n.NextComparison).toLocaleTimeString():null]]} />
    ${o.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Services and checks"><table class="plain"><thead><tr><th>What</th><th>ID</th><th>State</th></tr></thead><tbody>${o.
map(([a,i,l])=>r`<tr key=${`${a} ${i}`}><td>${a}</td><td>${i}</td>
      <td><${H} status=${l.InSync?"passing":"critical"} text=${l.InSync?"in sync":"not in sync"} /> ${l.LastError??""}</td></tr>`)}</tbody></table></div>`:r`<${T}>Nothing is registered with this agent.<//>`}<//><//>`}
var kn,to,ra,yd,ia,bd,Xi,el=E(()=>{z();ye();Te();Y();Oe();fe();me();Ze();we();he();lt();We();kn={Resource:"operator",Access:"write"},to={Resource:"keyring",Access:"\
write"},ra={Resource:"acl",Access:"write"},yd=()=>({Resource:"agent",Access:"write",Segment:C.NodeName}),ia=[["raft","Raft",()=>r`<${wd} />`],["autopilot","Auto\
pilot",()=>r`<${xd} />`],["keyring","Keyring",()=>r`<${Nd} />`],["snapshot","Snapshot",()=>r`<${Cd} />`]],bd=[["metrics","Metrics",()=>r`<${Ad} />`],["settings",
"Configuration",()=>r`<${Ed} />`],["agent","Agent",()=>r`<${Od} />`]];Xi=new Map});var ol={};Ce(ol,{default:()=>sl});function Ud(e){let t=b(()=>B({lines:[],state:"connecting",trouble:""}),[]),n=ee(0);return A(()=>{let s=new AbortController,o=!1,
a=[],i=(d={})=>{let{lines:$}=t.peek();t.value={...t.peek(),lines:a.length?[...$,...a].slice(-nl):$,...d},a=[]},l=setInterval(()=>{a.length&&i()},Ld),u=async d=>{
let $=new TextDecoder,f="",p="info";i({state:"connecting",trouble:""});try{let m=sr(ce("agent/monitor",{loglevel:e},""),d);setTimeout(()=>{!d.aborted&&t.peek().
state==="connecting"&&i({state:"open"})},1e3);for await(let y of m){let[h,k]=Dr(f+$.decode(y,{stream:!0}));f=k;for(let _ of h)_&&(p=Tr(_,p),a.push({id:n.current,
text:_,level:p}),n.current+=1);t.peek().state!=="open"&&i({state:"open"})}d.aborted||i({state:"ended",trouble:"The agent has ended the stream."})}catch(m){if(d.
aborted)return;let y=m instanceof re&&m.status>=400&&m.status<500;i({state:y?"refused":"ended",trouble:m instanceof re?m.message:"The agent does not answer."})}
!d.aborted&&t.peek().state!=="refused"&&setTimeout(()=>{d.aborted||u(d)},Pd)},c=()=>{s.abort(),!o&&(document.hidden?i({state:"paused"}):(s=new AbortController,u(
s.signal)))};return document.addEventListener("visibilitychange",c),c(),()=>{o=!0,s.abort(),clearInterval(l),document.removeEventListener("visibilitychange",c)}},
[e,O.value]),{kept:t,clear:()=>{t.value={...t.peek(),lines:[]}}}}function sl(){let e=b(()=>V("level","info"),[]),t=b(()=>V("filter"),[]),[n,s]=g(null),[o,a]=g(!0),
i=tl.includes(e.value)?e.value:"info",{kept:l,clear:u}=Ud(i),{lines:c,state:d,trouble:$}=l.value,f=n??c,p=b(()=>{let h=As(t.value),k=Is(h,{"":_=>_.text,level:_=>_.
level});return h.length?f.filter(k):f},[f,t.value]),m=async()=>{await Pn(p.map(h=>h.text).join(`
`)),U(`${S(p.length,"line")} copied.`)},y=n?`paused, ${S(c.filter(h=>h.id>(n.at(-1)?.id??-1)).length,"new line")}`:{open:"live",connecting:"connecting",paused:"\
paused",ended:"interrupted",refused:"refused"}[d];return r`
    <${R} view="log" title=${x.value?`Log of ${C.NodeName} in ${C.Datacenter}`:"Log"} actions=${r`<span class="hint" role="status" data-log-state=${n?"held":d}>${y}</span>`}>
      ${$?r`<div class="note bad" role="alert">${$}</div>`:null}
      <div class="list-tools">
        <input type="search" class="filter" data-filter value=${t.value} placeholder="Filter" aria-label="Filter the log" title="Words that must all occur; level: for the level; a minus before what must not"
          onInput=${h=>{t.value=h.target.value}} onKeyDown=${h=>{h.key==="Escape"&&(t.value="")}} />
        <${Ae} label="Level" value=${i} set=${h=>{e.value=h,u(),s(null)}} options=${tl.map(h=>[h,h==="err"?"error":`${h} and worse`])} />
        <button type="button" aria-pressed=${n!==null} onClick=${()=>s(n?null:c)}>${n?"Go on":"Pause"}</button>
        <button type="button" aria-pressed=${o} onClick=${()=>a(!o)}>Follow</button>
        <button type="button" onClick=${m} disabled=${!p.length}>Copy</button>
        <button type="button" onClick=${()=>{u(),n&&s([])}}>Clear</button>
        <span class="count">${p.length===f.length?S(p.length,"line"):`${p.length.toLocaleString("en")} of ${S(f.length,"line")}`}${c.length===nl?", the oldest a\
re dropped":""}</span>
      </div>
      ${p.length?r`<${jd} lines=${p} follow=${o&&n===null} away=${()=>a(!1)} />`:r`<${T}>${f.length?"No line matches.":"No line has come yet: the log tells what\
 happens from now on."}<//>`}
    <//>`}function jd({lines:e,follow:t,away:n}){let s=ee(null);zt(()=>{t&&s.current&&(s.current.scrollTop=s.current.scrollHeight)},[e,t]);let o=b(()=>{let i=new Map;
for(let l of e){let u=Math.floor(l.id/Md),c=i.get(u);c?c.push(l):i.set(u,[l])}return[...i]},[e]);return r`<div class="log" ref=${s} role="log" aria-label="Log" aria-live="off" tabindex="0" onWheel=${i=>{
t&&i.deltaY<0&&n()}}
      onKeyDown=${i=>{["ArrowUp","PageUp","Home"].includes(i.key)&&n()}}>
    ${o.map(([i,l])=>r`<${qd} key=${i} lines=${l} />`)}</div>`}function qd({lines:e}){return b(()=>r`<div class="log-block">${e.map(t=>r`<div key=${t.id} class=${`\
line l-${t.level}`}>${t.text}</div>`)}</div>`,[e.length,e[0]?.id,e.at(-1)?.id])}var nl,Md,Ld,Pd,tl,al=E(()=>{z();ye();Y();rn();me();Ze();fe();we();he();lt();nl=
5e3,Md=100,Ld=200,Pd=3e3,tl=["trace","debug","info","warn","err"]});var xt,la=E(()=>{xt=[{id:"overview",title:"Overview",group:"Cluster",key:"o",load:()=>Promise.resolve().then(()=>(wr(),br))},{id:"services",title:"Services",group:"\
Catalog",key:"s",load:()=>Promise.resolve().then(()=>(Or(),Er))},{id:"instance",title:"Instance",group:"",load:()=>Promise.resolve().then(()=>(Ps(),Ar)).then(e=>({
default:e.Instance}))},{id:"nodes",title:"Nodes",group:"Catalog",key:"n",load:()=>Promise.resolve().then(()=>(qr(),jr))},{id:"kv",title:"Keys",group:"Catalog",key:"\
k",load:()=>Promise.resolve().then(()=>($i(),fi))},{id:"key",title:"Key",group:"",load:()=>Promise.resolve().then(()=>(zo(),ci))},{id:"sessions",title:"Sessions",
group:"Catalog",key:"l",load:()=>Promise.resolve().then(()=>(Jo(),ii))},{id:"queries",title:"Prepared queries",group:"Catalog",key:"q",load:()=>Promise.resolve().then(()=>(vi(),mi))},
{id:"intentions",title:"Intentions",group:"Mesh",key:"i",load:()=>Promise.resolve().then(()=>(ki(),wi))},{id:"tokens",title:"Tokens",group:"Access",key:"t",need:{
Resource:"acl",Access:"read"},load:()=>Promise.resolve().then(()=>(Li(),Mi))},{id:"policies",title:"Policies",group:"Access",key:"p",need:{Resource:"acl",Access:"\
read"},load:()=>Promise.resolve().then(()=>(eo(),Qs))},{id:"roles",title:"Roles",group:"Access",need:{Resource:"acl",Access:"read"},load:()=>Promise.resolve().then(()=>(eo(),Qs))},
{id:"methods",title:"Auth methods",group:"Access",need:{Resource:"acl",Access:"read"},load:()=>Promise.resolve().then(()=>(eo(),Qs))},{id:"login",title:"Log in",
group:"",load:()=>Promise.resolve().then(()=>(zi(),Gi))},{id:"operations",title:"Operations",group:"Cluster",key:"r",load:()=>Promise.resolve().then(()=>(el(),Qi))},
{id:"log",title:"Log",group:"Cluster",need:{Resource:"agent",Access:"read"},load:()=>Promise.resolve().then(()=>(al(),ol))}]});var ll={};Ce(ll,{Palette:()=>Vd});function rl(){return xt.filter(e=>e.group&&(!e.ours||_e)&&(!e.need||at(e.need)===!0)&&(e.group!=="Access"||Ee.value!==!1)).map(
e=>St(e.title,{href:v(e.id),hint:e.key?`g ${e.key}`:""}))}function il(){let{dc:e,view:t}=D.value;return[...["auto","light","dark"].filter(s=>s!==$t.value).map(s=>St(
`Theme: ${s}`,{run:()=>{$t.value=s}})),...C.ReadOnly?[]:[St(Me.value?"Read-only: off":"Read-only: on",{hint:"w",run:()=>{ot.value=!ot.peek()}})],...Ht.value.filter(
s=>s!==e).map(s=>St(`Go to datacenter ${s}`,{href:v(t,"",{},s)})),...Ee.value===!1?[]:[St("Log in or out",{href:v("login")})]]}function Fd(){let[e,t]=g({services:[],
nodes:[],trouble:""});return A(()=>{let n=new AbortController,s={signal:n.signal};return Promise.allSettled([ne("catalog/services",s),ne("catalog/nodes",s)]).then(
([o,a])=>{if(n.signal.aborted)return;let i=[o,a].find(l=>l.status==="rejected");t({services:o.status==="fulfilled"?Object.keys(o.value??{}).map(l=>St(l,{href:v(
"services",[l])})):[],nodes:a.status==="fulfilled"?(a.value??[]).map(l=>St(l.Node,{href:v("nodes",[l.Node]),hint:l.Address})):[],trouble:i?.status==="rejected"?
String(i.reason?.message??i.reason):""})}),()=>n.abort()},[]),e}function Wd(e){let[t,n]=g([]);return A(()=>{if(!e||!Ue(e)){n([]);return}let s=new AbortController,
o=setTimeout(async()=>{try{let a=await ne(Kt(e,!0),{signal:s.signal,accept:[404]}),i=e.slice(0,e.lastIndexOf("/")+1),l=Us(Array.isArray(a)?a.filter(u=>u.startsWith(
e)):[],i);s.signal.aborted||n(l.slice(0,Vt).map(u=>St(u.key,{href:v(u.folder?"kv":"key",u.key),hint:u.folder?"folder":""})))}catch{s.signal.aborted||n([])}},Kd);
return()=>{clearTimeout(o),s.abort()}},[e]),t}function Bd(e,t){let n=e.trim().toLowerCase();return[{title:"Pages",items:Bn(e,rl(),n?Vt:99)},{title:"Services",items:n?
Bn(e,t.services,Vt):[]},{title:"Nodes",items:n?Bn(e,t.nodes,Vt):[]},{title:"Actions",items:Bn(e,il(),Vt)}].map(o=>({...o,level:n&&o.items[0]?Io(n,o.items[0].low):
0})).sort((o,a)=>o.level-a.level)}function Vd({close:e}){let[t,n]=g(""),[s,o]=g(0),a=ee(null),i=ee(null);A(()=>i.current?.focus(),[]);let l=Fd(),u=Wd(t),c=[...rl(),
...il()].map(({text:h})=>h).join(`
`),d=b(()=>Bd(t,l),[t,l,c]),$=[...d.filter(({level:h})=>h<4),{title:"Keys",items:u},...d.filter(({level:h})=>h===4)].filter(({items:h})=>h.length),f=$.flatMap(h=>h.
items),p=Math.min(s,f.length-1);A(()=>{a.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({block:"nearest"})},[p,$]);let m=h=>{h&&(e(),h.run?h.run():
h.href&&P(h.href))},y=h=>{let k={ArrowDown:p+1,ArrowUp:p-1,PageDown:p+Vt,PageUp:p-Vt}[h.key];if(k!==void 0){h.preventDefault();let _=f.length-1,K=Math.abs(k-p)===
1;o(K&&k>_?0:K&&k<0?_:Math.max(0,Math.min(_,k)))}else h.key==="Enter"&&!h.isComposing&&(h.preventDefault(),m(f[p]))};return r`
    <${Ye} title="Find" close=${e} class="palette">
      <input class="palette-input" type="text" role="combobox" aria-expanded=${f.length>0} aria-controls="palette-list" aria-autocomplete="list" aria-label="Find a page, service, node, key or action"
        aria-activedescendant=${f.length?`palette-${p}`:void 0} placeholder="Page, service, node, beginning of a key, action" autocomplete="off" spellcheck=${!1} ref=${i}
        value=${t} onInput=${h=>{n(h.target.value),o(0)}} onKeyDown=${y} />
      <div id="palette-list" role="listbox" aria-label="Found" class="palette-list" ref=${a}>
        ${$.map(h=>r`<${Hd} key=${h.title} group=${h} from=${f.indexOf(h.items[0])} active=${p} take=${m} />`)}
      </div>
      ${f.length?null:r`<p class="empty" role="status">Nothing of that name.</p>`}
      ${l.trouble?r`<p class="hint">${l.trouble}</p>`:null}
    <//>`}function Hd({group:e,from:t,active:n,take:s}){return r`
    <div role="group" aria-label=${e.title}>
      <div class="menu-title" aria-hidden="true">${e.title}</div>
      ${e.items.map((o,a)=>r`
        <div role="option" key=${o.text} id=${`palette-${t+a}`} aria-selected=${t+a===n} onClick=${()=>s(o)}>
          <span class="key-name">${oe(o.text)}</span>${o.hint?r` <span class="dim">${o.hint}</span>`:null}</div>`)}
    </div>`}var Vt,Kd,St,cl=E(()=>{z();ye();rn();un();Oe();Y();fe();Ut();la();we();ca();Vt=8,Kd=120,St=(e,t)=>({text:e,low:e.toLowerCase(),...t})});async function Jd(){try{Ht.value=await ne("catalog/datacenters",{dc:"",patience:On})}catch{}if(!C.Datacenter)try{let o=await ne("agent/self",{dc:"",patience:On});
Object.assign(C,{Datacenter:o.Config.Datacenter,NodeName:o.Config.NodeName,Server:o.Config.Server})}catch{C.Datacenter=Ht.peek()[0]??""}let{dc:e,view:t,parts:n,
query:s}=D.peek();!e&&C.Datacenter?tn(v(t,n,Object.fromEntries(s),C.Datacenter)):D.value={...D.peek()}}function Gd({id:e}){let[,t]=g(0),[n,s]=g(""),o=xt.find(c=>c.
id===e);A(()=>{!o||ua.has(e)||o.load().then(c=>{ua.set(e,c.default),t(d=>d+1)},c=>s(String(c)))},[e]),A(()=>{document.activeElement===document.body&&document.getElementById(
"main")?.focus({preventScroll:!0})},[D.value.view,D.value.rest]);let a=ua.get(e);if(!o)return r`<main id="main" data-view="unknown" data-ready="true"><h1>No such page</h1><p>There is no view <code>${e}</code>. <a href=${v(
"overview")}>Overview</a></p></main>`;if(n)return r`<main id="main" data-view=${e} data-ready="true"><h1>${o.title}</h1><div class="note bad" role="alert">This part of the page could not be loaded: ${n}</div></main>`;
if(!a)return r`<main id="main" data-view=${e} data-ready="false" aria-busy="true"></main>`;let{dc:i,rest:l,parts:u}=D.value;return r`<${a} key=${`${x.value}/${e}\
/${u.map(encodeURIComponent).join("/")}`} id=${e} rest=${l} parts=${u} dc=${i} />`}function zd(){let e=D.value.view,t=[...new Set(xt.map(o=>o.group).filter(Boolean))],
n=xt.filter(o=>o.group&&(!o.ours||_e)&&(!o.need||at(o.need)===!0)),s={instance:"services",key:"kv"}[e]??e;return r`<nav class="menu" aria-label="Pages">${t.map(
o=>{let a=n.filter(i=>i.group===o&&(o!=="Access"||Ee.value!==!1));return a.length?r`<div class="menu-group"><span class="menu-title">${o}</span>${a.map(i=>r`
      <a href=${v(i.id)} aria-current=${s===i.id?"page":void 0}>${i.title}</a>`)}</div>`:null})}</nav>`}function Xd(){let e=lr.value;return At.value?r`<span class="pulse off" data-pulse="paused" role="status">paused</span>`:
e?r`<span class="pulse bad" data-pulse="stale" role="status">stale since ${new Date(e).toLocaleTimeString()} (${Le(Math.max(0,ze.value-e))})</span>`:r`<span class="pulse" data-pulse="live" role="status">live</span>`}
function Yd(){return r`<${Ye} title="What this page asks the agent" close=${()=>{Ie.value=""}} wide>
    <p>The token, if there is one, goes in the header <code>X-Consul-Token</code>.</p>
    ${[...Je.value.values()].map(({path:e})=>r`<${L} key=${e} text=${ge("GET",e)} block />`)}
  <//>`}function Zd(){let e=[["/","filter"],["Ctrl K","find anything"],["j k ↑ ↓","go through a list"],["Enter","open"],["u","one up"],["c","the requests as\
 curl"],["w","read-only on or off"],["?","these keys"],...xt.filter(t=>t.key).map(t=>[`g ${t.key}`,t.title])];return r`<${Ye} title="Keys" close=${()=>{Ie.value=
""}}>
    <dl class="facts">${e.map(([t,n])=>r`<div key=${t}><dt><kbd>${t}</kbd></dt><dd>${n}</dd></div>`)}</dl>
  <//>`}function ul(e){let t=e.target;if((e.ctrlKey||e.metaKey)&&e.key.toLowerCase()==="k"){e.preventDefault(),Ie.value=Ie.peek()==="palette"?"":"palette";return}
if(e.ctrlKey||e.metaKey||e.altKey||t.closest("input, textarea, select, dialog[open], [contenteditable]"))return;let n=no;no=e.key,setTimeout(()=>{no=""},1e3);let s=n===
"g"?xt.find(o=>o.key===e.key):void 0;s?(no="",P(v(s.id))):e.key==="/"?(e.preventDefault(),document.querySelector("[data-filter]")?.focus()):e.key==="?"?Ie.value=
"keys":e.key==="c"&&n!=="g"?Ie.value="requests":e.key==="w"?ot.value=!ot.peek():e.key==="u"&&document.querySelector(".crumbs a:last-child")?.click()}function dl(){
A(()=>(Jd().finally(()=>a(!0)),document.addEventListener("keydown",ul),()=>document.removeEventListener("keydown",ul)),[]);let{dc:e,view:t}=D.value,[n,s]=g(!1),
[o,a]=g(C.Datacenter!==""),[i,l]=g(null);A(()=>s(!1),[D.value]),A(()=>{Ie.value==="palette"&&!i&&Promise.resolve().then(()=>(cl(),ll)).then(c=>l(()=>c.Palette))},
[Ie.value]);let u=Ht.value.includes(e)||!e?Ht.value:[e,...Ht.value];return r`
    <a class="skip" href="#main" onClick=${c=>{c.preventDefault(),document.getElementById("main")?.focus()}}>Skip to content</a>
    <header class="top">
      <button type="button" class="quiet burger" aria-label="Menu" aria-expanded=${n} onClick=${()=>s(!n)}>☰</button>
      <a class="brand" href=${v("overview")}>proconsul</a>
      <label class="dc"><span class="sr">Datacenter</span>
        <select value=${e} data-dc onChange=${c=>P(v(t,"",{},c.target.value))}>
          ${u.map(c=>r`<option key=${c} value=${c}>${c}</option>`)}
        </select></label>
      <${Xd} />
      <span class="space"></span>
      <button type="button" class="find" onClick=${()=>{Ie.value="palette"}}>Find <kbd>Ctrl K</kbd></button>
      <button type="button" class="quiet" title="What this page asks the agent, as curl (c)" onClick=${()=>{Ie.value="requests"}}>curl</button>
      <button type="button" class="quiet" data-read-only aria-pressed=${Me.value} disabled=${C.ReadOnly}
        title=${C.ReadOnly?"The agent takes no changes from this page":"Offer no changes (w)"}
        onClick=${()=>{ot.value=!ot.peek()}}>${Me.value?"read-only":"read and write"}</button>
      <label><span class="sr">Theme</span>
        <select value=${$t.value} data-theme-picker onChange=${c=>{$t.value=c.target.value}}>
          <option value="auto">auto</option><option value="light">light</option><option value="dark">dark</option></select></label>
      ${Ee.value===!1?null:r`<a class="button quiet" href=${v("login")}>${O.value?"Token":"Log in"}</a>`}
      <button type="button" class="quiet" aria-label="Keys" title="Keys (?)" onClick=${()=>{Ie.value="keys"}}>?</button>
    </header>
    <div class=${`body ${n?"menu-open":""}`}>
      ${o?r`<${zd} />`:null}
      ${o?r`<${Gd} id=${t} />`:r`<main id="main" data-view=${t} data-ready="false" aria-busy="true"></main>`}
    </div>
    ${Ie.value==="keys"?r`<${Zd} />`:null}
    ${Ie.value==="requests"?r`<${Yd} />`:null}
    ${Ie.value==="palette"&&i?r`<${i} close=${()=>{Ie.value=""}} />`:null}
    <${fr} />`}var Ht,Ie,ua,no,ca=E(()=>{z();fe();Y();ye();Te();Oe();me();he();we();la();Ht=B(C.Datacenter?[C.Datacenter]:[]),Ie=B("");ua=new Map;no=""});z();fe();Y();ca();function Qd(){let e=new URL(C.UiRoot,location.href.split("#")[0]).pathname;return location.pathname.startsWith(e)?location.pathname.slice(e.length):
""}function ef(){let e=new URLSearchParams(location.search);if(!e.has("state")||!(e.has("code")||e.has("error")))return"";history.replaceState(null,"",location.
pathname+location.hash);let t=null;try{t=JSON.parse(sessionStorage.getItem("proconsul.oidc")??"null"),sessionStorage.setItem("proconsul.oidc",JSON.stringify({...t,
answer:e.toString()}))}catch{}return`#/${encodeURIComponent(t?.dc??"")}/login`}var da=ef(),fa=Qd();if(fa&&fa!=="index.html")location.replace(new URL(C.UiRoot,location.
href.split("#")[0]).href+(da||nr(fa)||"#/"));else{da&&tn(da);let{dc:e,view:t,parts:n,query:s}=D.value;!e&&C.Datacenter&&tn(v(t,n,Object.fromEntries(s),C.Datacenter));
let o=document.getElementById("app");o.textContent="",$o(r`<${dl} />`,o)}
