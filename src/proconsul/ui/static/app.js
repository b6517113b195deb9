/* proconsul's web page, built by scripts/build_page.py from src/proconsul/ui/page. Licences: NOTICE. */
var yl=Object.defineProperty;var E=(e,t)=>()=>(e&&(t=e(e=0)),t);var Ce=(e,t)=>{for(var n in t)yl(e,n,{get:t[n],enumerable:!0})};function tt(e,t){for(var n in t)e[n]=t[n];return e}function $o(e){e&&e.parentNode&&e.parentNode.removeChild(e)}function xn(e,t,n){var s,o,a,i={};for(a in t)a=="\
key"?s=t[a]:a=="ref"?o=t[a]:i[a]=t[a];if(arguments.length>2&&(i.children=arguments.length>3?ls.call(arguments,2):n),typeof e=="function"&&e.defaultProps!=null)for(a in e.
defaultProps)i[a]===void 0&&(i[a]=e.defaultProps[a]);return os(e,i,s,o,null)}function os(e,t,n,s,o){var a={type:e,props:t,key:n,ref:s,__k:null,__:null,__b:0,__e:null,
__c:null,constructor:void 0,__v:o??++_a,__i:-1,__u:0};return o==null&&G.vnode!=null&&G.vnode(a),a}function dt(e){return e.children}function Ht(e,t){this.props=e,
this.context=t}function xt(e,t){if(t==null)return e.__?xt(e.__,e.__i+1):null;for(var n;t<e.__k.length;t++)if((n=e.__k[t])!=null&&n.__e!=null)return n.__e;return typeof e.
type=="function"?xt(e):null}function wl(e){if(e.__P&&e.__d){var t=e.__v,n=t.__e,s=[],o=[],a=tt({},t);a.__v=t.__v+1,G.vnode&&G.vnode(a),po(e.__P,a,t,e.__n,e.__P.
namespaceURI,32&t.__u?[n]:null,s,n??xt(t),!!(32&t.__u),o),a.__v=t.__v,a.__.__k[a.__i]=a,Ia(s,a,o),t.__e=t.__=null,a.__e!=n&&Ta(a)}}function Ta(e){if((e=e.__)!=null&&
e.__c!=null)return e.__e=e.__c.base=null,e.__k.some(function(t){if(t!=null&&t.__e!=null)return e.__e=e.__c.base=t.__e}),Ta(e)}function ba(e){(!e.__d&&(e.__d=!0)&&
ut.push(e)&&!is.__r++||ga!=G.debounceRendering)&&((ga=G.debounceRendering)||xa)(is)}function is(){try{for(var e,t=1;ut.length;)ut.length>t&&ut.sort(Sa),e=ut.shift(),
t=ut.length,wl(e)}finally{ut.length=is.__r=0}}function Da(e,t,n,s,o,a,i,l,c,u,d){var $,f,p,m,g,h,k=s&&s.__k||rs,_=t.length;for(c=kl(n,t,k,c,_),$=0;$<_;$++)(p=n.
__k[$])!=null&&(f=p.__i!=-1&&k[p.__i]||as,p.__i=$,h=po(e,p,f,o,a,i,l,c,u,d),m=p.__e,p.ref&&f.ref!=p.ref&&(f.ref&&ho(f.ref,null,p),d.push(p.ref,p.__c||m,p)),g==null&&
m!=null&&(g=m),4&p.__u?(c=Ca(p,c,e),f.__e&&(f.__e=null)):typeof p.type=="function"&&h!==void 0?c=h:m&&(c=m.nextSibling),p.__u&=-7);return n.__e=g,c}function kl(e,t,n,s,o){
var a,i,l,c,u,d=n.length,$=d,f=0;for(e.__k=new Array(o),a=0;a<o;a++)(i=t[a])!=null&&typeof i!="boolean"&&typeof i!="function"?(typeof i=="string"||typeof i=="nu\
mber"||typeof i=="bigint"||i.constructor==String?i=e.__k[a]=os(null,i,null,null,null):cs(i)?i=e.__k[a]=os(dt,{children:i},null,null,null):i.constructor===void 0&&
i.__b>0?i=e.__k[a]=os(i.type,i.props,i.key,i.ref?i.ref:null,i.__v):e.__k[a]=i,c=a+f,i.__=e,i.__b=e.__b+1,l=null,(u=i.__i=_l(i,n,c,$))!=-1&&($--,(l=n[u])&&(l.__u|=
2)),l==null||l.__v==null?(u==-1&&(o>d?f--:o<d&&f++),typeof i.type!="function"&&(i.__u|=4)):u!=c&&(u==c-1?f--:u==c+1?f++:(u>c?f--:f++,i.__u|=4))):e.__k[a]=null;if($)
for(a=0;a<d;a++)(l=n[a])!=null&&(2&l.__u)==0&&(l.__e==s&&(s=xt(l)),Oa(l,l));return s}function Ca(e,t,n){var s,o;if(typeof e.type=="function"){for(s=e.__k,o=0;s&&
o<s.length;o++)s[o]&&(s[o].__=e,t=Ca(s[o],t,n));return t}e.__e!=t&&(t&&e.type&&!t.parentNode&&(t=xt(e)),t=n.insertBefore(e.__e,t||null));do t=t&&t.nextSibling;while(t!=
null&&t.nodeType==8);return t}function _l(e,t,n,s){var o,a,i,l=e.key,c=e.type,u=t[n],d=u!=null&&(2&u.__u)==0;if(u===null&&l==null||d&&l==u.key&&c==u.type)return n;
if(s>(d?1:0)){for(o=n-1,a=n+1;o>=0||a<t.length;)if((u=t[i=o>=0?o--:a++])!=null&&(2&u.__u)==0&&l==u.key&&c==u.type)return i}return-1}function wa(e,t,n){t[0]=="-"?
e.setProperty(t,n??""):e[t]=n==null?"":typeof n!="number"||bl.test(t)?n:n+"px"}function ns(e,t,n,s,o){var a,i;e:if(t=="style")if(typeof n=="string")e.style.cssText=
n;else{if(typeof s=="string"&&(e.style.cssText=s=""),s)for(t in s)n&&t in n||wa(e.style,t,"");if(n)for(t in n)s&&n[t]==s[t]||wa(e.style,t,n[t])}else if(t[0]=="o"&&
t[1]=="n")a=t!=(t=t.replace(Na,"$1")),i=t.toLowerCase(),t=i in e||t=="onFocusOut"||t=="onFocusIn"?i.slice(2):t.slice(2),e.l||(e.l={}),e.l[t+a]=n,n?s?n[_n]=s[_n]:
(n[_n]=fo,e.addEventListener(t,a?co:lo,a)):e.removeEventListener(t,a?co:lo,a);else{if(o=="http://www.w3.org/2000/svg")t=t.replace(/xlink(H|:h)/,"h").replace(/sName$/,
"s");else if(t!="width"&&t!="height"&&t!="href"&&t!="list"&&t!="form"&&t!="tabIndex"&&t!="download"&&t!="rowSpan"&&t!="colSpan"&&t!="role"&&t!="popover"&&t in e)
try{e[t]=n??"";break e}catch{}typeof n=="function"||(n==null||n===!1&&t[4]!="-"?e.removeAttribute(t):e.setAttribute(t,t=="popover"&&n==1?"":n))}}function ka(e){
return function(t){if(this.l){var n=this.l[t.type+e];if(t[ss]==null)t[ss]=fo++;else if(t[ss]<n[_n])return;return n(G.event?G.event(t):t)}}}function po(e,t,n,s,o,a,i,l,c,u){
var d,$,f,p,m,g,h,k,_,F,xe,ge,He,ct,Qe,I,le=t.type;if(t.constructor!==void 0)return null;128&n.__u&&(c=!!(32&n.__u),a=[l=t.__e=n.__e]),(d=G.__b)&&d(t);e:if(typeof le==
"function"){$=i.length;try{if(_=t.props,F=le.prototype&&le.prototype.render,xe=(d=le.contextType)&&s[d.__c],ge=d?xe?xe.props.value:d.__:s,n.__c?k=(f=t.__c=n.__c).
__=f.__E:(F?t.__c=f=new le(_,ge):(t.__c=f=new Ht(_,ge),f.constructor=le,f.render=Sl),xe&&xe.sub(f),f.state||(f.state={}),f.__n=s,p=f.__d=!0,f.__h=[],f._sb=[]),F&&
f.__s==null&&(f.__s=f.state),F&&le.getDerivedStateFromProps!=null&&(f.__s==f.state&&(f.__s=tt({},f.__s)),tt(f.__s,le.getDerivedStateFromProps(_,f.__s))),m=f.props,
g=f.state,f.__v=t,p)F&&le.getDerivedStateFromProps==null&&f.componentWillMount!=null&&f.componentWillMount(),F&&f.componentDidMount!=null&&f.__h.push(f.componentDidMount);else{
if(F&&le.getDerivedStateFromProps==null&&_!==m&&f.componentWillReceiveProps!=null&&f.componentWillReceiveProps(_,ge),t.__v==n.__v||!f.__e&&f.shouldComponentUpdate!=
null&&f.shouldComponentUpdate(_,f.__s,ge)===!1){t.__v!=n.__v&&(f.props=_,f.state=f.__s,f.__d=!1),t.__e=n.__e,t.__k=n.__k,t.__k.some(function(re){re&&(re.__=t)}),
rs.push.apply(f.__h,f._sb),f._sb=[],f.__h.length&&i.push(f),l=xt(n);break e}f.componentWillUpdate!=null&&f.componentWillUpdate(_,f.__s,ge),F&&f.componentDidUpdate!=
null&&f.__h.push(function(){f.componentDidUpdate(m,g,h)})}if(f.context=ge,f.props=_,f.__P=e,f.__e=!1,He=G.__r,ct=0,F)f.state=f.__s,f.__d=!1,He&&He(t),d=f.render(
f.props,f.state,f.context),rs.push.apply(f.__h,f._sb),f._sb=[];else do f.__d=!1,He&&He(t),d=f.render(f.props,f.state,f.context),f.state=f.__s;while(f.__d&&++ct<
25);f.state=f.__s,f.getChildContext!=null&&(s=tt(tt({},s),f.getChildContext())),F&&!p&&f.getSnapshotBeforeUpdate!=null&&(h=f.getSnapshotBeforeUpdate(m,g)),Qe=d!=
null&&d.type===dt&&d.key==null?Ea(d.props.children):d,l=Da(e,cs(Qe)?Qe:[Qe],t,n,s,o,a,i,l,c,u),f.base=t.__e,t.__u&=-161,f.__h.length&&i.push(f),k&&(f.__E=f.__=null)}catch(re){
if(i.length=$,t.__v=null,c||a!=null){if(re.then){for(t.__u|=c?160:128;l&&l.nodeType==8&&l.nextSibling;)l=l.nextSibling;a!=null&&(a[a.indexOf(l)]=null),t.__e=l}else if(a!=
null)for(I=a.length;I--;)$o(a[I])}else t.__e=n.__e;t.__k==null&&(t.__k=n.__k||[]),re.then||Aa(t),G.__e(re,t,n)}}else a==null&&t.__v==n.__v?(t.__k=n.__k,t.__e=n.
__e):l=t.__e=xl(n.__e,t,n,s,o,a,i,c,u);return(d=G.diffed)&&d(t),128&t.__u?void 0:l}function Aa(e){e&&(e.__c&&(e.__c.__e=!0),e.__k&&e.__k.some(Aa))}function Ia(e,t,n){
for(var s=0;s<n.length;s++)ho(n[s],n[++s],n[++s]);G.__c&&G.__c(t,e),e.some(function(o){try{e=o.__h,o.__h=[],e.some(function(a){a.call(o)})}catch(a){G.__e(a,o.__v)}})}
function Ea(e){return typeof e!="object"||e==null||e.__b>0?e:cs(e)?e.map(Ea):e.constructor!==void 0?null:tt({},e)}function xl(e,t,n,s,o,a,i,l,c){var u,d,$,f,p,m,
g,h=n.props||as,k=t.props,_=t.type;if(_=="svg"?o="http://www.w3.org/2000/svg":_=="math"?o="http://www.w3.org/1998/Math/MathML":o||(o="http://www.w3.org/1999/xht\
ml"),a!=null){for(u=0;u<a.length;u++)if((p=a[u])&&"setAttribute"in p==!!_&&(_?p.localName==_:p.nodeType==3)){e=p,a[u]=null;break}}if(e==null){if(_==null)return document.
createTextNode(k);e=document.createElementNS(o,_,k.is&&k),l&&(G.__m&&G.__m(t,a),l=!1),a=null}if(_==null)h===k||l&&e.data==k||(e.data=k);else{if(a=_=="textarea"&&
k.defaultValue!=null?null:a&&ls.call(e.childNodes),!l&&a!=null)for(h={},u=0;u<e.attributes.length;u++)h[(p=e.attributes[u]).name]=p.value;for(u in h)p=h[u],u=="\
dangerouslySetInnerHTML"?$=p:u=="children"||u in k||u=="value"&&"defaultValue"in k||u=="checked"&&"defaultChecked"in k||ns(e,u,null,p,o);for(u in k)p=k[u],u=="c\
hildren"?f=p:u=="dangerouslySetInnerHTML"?d=p:u=="value"?m=p:u=="checked"?g=p:l&&typeof p!="function"||h[u]===p||ns(e,u,p,h[u],o);if(d)l||$&&(d.__html==$.__html||
d.__html==e.innerHTML)||(e.innerHTML=d.__html),t.__k=[];else if($&&(e.innerHTML=""),Da(t.type=="template"?e.content:e,cs(f)?f:[f],t,n,s,_=="foreignObject"?"http\
://www.w3.org/1999/xhtml":o,a,i,a?a[0]:n.__k&&xt(n,0),l,c),a!=null)for(u=a.length;u--;)$o(a[u]);l&&_!="textarea"||(u="value",_=="progress"&&m==null?e.removeAttribute(
"value"):m!=null&&(m!==e[u]||_=="progress"&&!m||_=="option"&&m!=h[u])&&ns(e,u,m,h[u],o),u="checked",g!=null&&g!=e[u]&&ns(e,u,g,h[u],o))}return e}function ho(e,t,n){
try{if(typeof e=="function"){var s=typeof e.__u=="function";s&&e.__u(),s&&t==null||(e.__u=e(t))}else e.current=t}catch(o){G.__e(o,n)}}function Oa(e,t,n){var s,o;
if(G.unmount&&G.unmount(e),(s=e.ref)&&(s.current&&s.current!=e.__e||ho(s,null,t)),(s=e.__c)!=null){if(s.componentWillUnmount)try{s.componentWillUnmount()}catch(a){
G.__e(a,t)}s.base=s.__P=s.__n=null}if(s=e.__k)for(o=0;o<s.length;o++)s[o]&&Oa(s[o],t,n||typeof e.type!="function");n||$o(e.__e),e.__c=e.__=e.__e=void 0}function Sl(e,t,n){
return this.constructor(e,n)}function mo(e,t,n){var s,o,a,i;t==document&&(t=document.documentElement),G.__&&G.__(e,t),o=(s=typeof n=="function")?null:n&&n.__k||
t.__k,a=[],i=[],po(t,e=(!s&&n||t).__k=xn(dt,null,[e]),o||as,as,t.namespaceURI,!s&&n?[n]:o?null:t.firstChild?ls.call(t.childNodes):null,a,!s&&n?n:o?o.__e:t.firstChild,
s,i),Ia(a,e,i),e.props.children=null}var ls,G,_a,uo,ut,ga,xa,Sa,io,ss,_n,Na,fo,lo,co,gl,as,rs,bl,cs,us=E(()=>{as={},rs=[],bl=/acit|ex(?:s|g|n|p|$)|rph|grid|ows|mnc|ntw|ine[ch]|zoo|^ord|itera/i,
cs=Array.isArray;ls=rs.slice,G={__e:function(e,t,n,s){for(var o,a,i;t=t.__;)if((o=t.__c)&&!o.__)try{if((a=o.constructor)&&a.getDerivedStateFromError!=null&&(o.setState(
a.getDerivedStateFromError(e)),i=o.__d),o.componentDidCatch!=null&&(o.componentDidCatch(e,s||{}),i=o.__d),i)return o.__E=o}catch(l){e=l}throw e}},_a=0,uo=function(e){
return e!=null&&e.constructor===void 0},Ht.prototype.setState=function(e,t){var n;n=this.__s!=null&&this.__s!=this.state?this.__s:this.__s=tt({},this.state),typeof e==
"function"&&(e=e(tt({},n),this.props)),e&&tt(n,e),e!=null&&this.__v&&(t&&this._sb.push(t),ba(this))},Ht.prototype.forceUpdate=function(e){this.__v&&(this.__e=!0,
e&&this.__h.push(e),ba(this))},Ht.prototype.render=dt,ut=[],xa=typeof Promise=="function"?Promise.prototype.then.bind(Promise.resolve()):setTimeout,Sa=function(e,t){
return e.__v.__b-t.__v.__b},is.__r=0,io=Math.random().toString(8),ss="__d"+io,_n="__a"+io,Na=/(PointerCapture)$|Capture$/i,fo=0,lo=ka(!1),co=ka(!0),gl=0});function La(e){var t=Ra.get(this);return t||(t=new Map,Ra.set(this,t)),(t=Ma(this,t.get(e)||(t.set(e,t=(function(n){for(var s,o,a=1,i="",l="",c=[0],u=function(f){
a===1&&(f||(i=i.replace(/^\s*\n\s*|\s*\n\s*$/g,"")))?c.push(0,f,i):a===3&&(f||i)?(c.push(3,f,i),a=2):a===2&&i==="..."&&f?c.push(4,f,0):a===2&&i&&!f?c.push(5,0,!0,
i):a>=5&&((i||!f&&a===5)&&(c.push(a,0,i,o),a=6),f&&(c.push(a,f,0,o),a=6)),i=""},d=0;d<n.length;d++){d&&(a===1&&u(),u(d));for(var $=0;$<n[d].length;$++)s=n[d][$],
a===1?s==="<"?(u(),c=[c],a=3):i+=s:a===4?i==="--"&&s===">"?(a=1,i=""):i=s+i[0]:l?s===l?l="":i+=s:s==='"'||s==="'"?l=s:s===">"?(u(),a=1):a&&(s==="="?(a=5,o=i,i=""):
s==="/"&&(a<5||n[d][$+1]===">")?(u(),a===3&&(c=c[0]),a=c,(c=c[0]).push(2,0,a),a=0):s===" "||s==="	"||s===`
`||s==="\r"?(u(),a=2):i+=s),a===3&&i==="!--"&&(a=4,c=c[0])}return u(),c})(e)),t),arguments,[])).length>1?t:t[0]}var Ma,Ra,Pa=E(()=>{Ma=function(e,t,n,s){var o;t[0]=
0;for(var a=1;a<t.length;a++){var i=t[a++],l=t[a]?(t[0]|=i?1:2,n[t[a++]]):t[++a];i===3?s[0]=l:i===4?s[1]=Object.assign(s[1]||{},l):i===5?(s[1]=s[1]||{})[t[++a]]=
l:i===6?s[1][t[++a]]+=l+"":i?(o=e.apply(l,Ma(e,l,n,["",null])),s.push(o),l[0]?t[0]|=2:(t[a-2]=0,t[a]=o)):s.push(l)}return s},Ra=new Map});function $s(e,t){$e.__h&&$e.__h(ce,e,fs||t),fs=0;var n=ce.__H||(ce.__H={__:[],__h:[]});return e>=n.__.length&&n.__.push({}),n.__[e]}function y(e){return fs=1,Nl(
Ja,e)}function Nl(e,t,n){var s=$s(Jt++,2);if(s.t=e,!s.__c&&(s.__=[n?n(t):Ja(void 0,t),function(l){var c=s.__N?s.__N[0]:s.__[0],u=s.t(c,l);c!==u&&(s.__N=[u,s.__[1]],
s.__c.setState({}))}],s.__c=ce,!ce.__f)){var o=function(l,c,u){if(!s.__c.__H)return!0;var d=!1,$=s.__c.props!==l;if(s.__c.__H.__.some(function(p){if(p.__N){d=!0;
var m=p.__[0];p.__=p.__N,p.__N=void 0,m!==p.__[0]&&($=!0)}}),a){var f=a.call(this,l,c,u);return d?f||$:f}return!d||$};ce.__f=!0;var a=ce.shouldComponentUpdate,i=ce.
componentWillUpdate;ce.componentWillUpdate=function(l,c,u){if(this.__e){var d=a;a=void 0,o(l,c,u),a=d}i&&i.call(this,l,c,u)},ce.shouldComponentUpdate=o}return s.
__N||s.__}function A(e,t){var n=$s(Jt++,3);!$e.__s&&go(n.__H,t)&&(n.__=e,n.u=t,ce.__H.__h.push(n))}function Gt(e,t){var n=$s(Jt++,4);!$e.__s&&go(n.__H,t)&&(n.__=
e,n.u=t,ce.__h.push(n))}function Q(e){return fs=5,b(function(){return{current:e}},[])}function b(e,t){var n=$s(Jt++,7);return go(n.__H,t)&&(n.__=e(),n.__H=t,n.__h=
e),n.__}function Tl(){for(var e;e=Ha.shift();){var t=e.__H;if(e.__P&&t)try{t.__h.some(ds),t.__h.some(yo),t.__h=[]}catch(n){t.__h=[],$e.__e(n,e.__v)}}}function Dl(e){
var t,n=function(){clearTimeout(s),Va&&cancelAnimationFrame(t),setTimeout(e)},s=setTimeout(n,35);Va&&(t=requestAnimationFrame(n))}function ds(e){var t=ce,n=e.__c;
typeof n=="function"&&(e.__c=void 0,n()),ce=t}function yo(e){var t=ce;e.__c=e.__(),ce=t}function go(e,t){return!e||e.length!==t.length||t.some(function(n,s){return n!==
e[s]})}function Ja(e,t){return typeof t=="function"?t(e):t}var Jt,ce,vo,Ua,fs,Ha,$e,ja,qa,Fa,Ka,Wa,Ba,Va,bo=E(()=>{us();fs=0,Ha=[],$e=G,ja=$e.__b,qa=$e.__r,Fa=$e.
diffed,Ka=$e.__c,Wa=$e.unmount,Ba=$e.__;$e.__b=function(e){ce=null,ja&&ja(e)},$e.__=function(e,t){e&&t.__k&&t.__k.__m&&(e.__m=t.__k.__m),Ba&&Ba(e,t)},$e.__r=function(e){
qa&&qa(e),Jt=0;var t=(ce=e.__c).__H;t&&(vo===ce?(t.__h=[],ce.__h=[],t.__.some(function(n){n.__N&&(n.__=n.__N),n.u=n.__N=void 0})):(t.__h.some(ds),t.__h.some(yo),
t.__h=[],Jt=0)),vo=ce},$e.diffed=function(e){Fa&&Fa(e);var t=e.__c;t&&t.__H&&(t.__H.__h.length&&(Ha.push(t)!==1&&Ua===$e.requestAnimationFrame||((Ua=$e.requestAnimationFrame)||
Dl)(Tl)),t.__H.__.some(function(n){n.u&&(n.__H=n.u,n.u=void 0)})),vo=ce=null},$e.__c=function(e,t){t.some(function(n){try{n.__h.some(ds),n.__h=n.__h.filter(function(s){
return!s.__||yo(s)})}catch(s){t.some(function(o){o.__h&&(o.__h=[])}),t=[],$e.__e(s,n.__v)}}),Ka&&Ka(e,t)},$e.unmount=function(e){Wa&&Wa(e);var t,n=e.__c;n&&n.__H&&
(n.__H.__.some(function(s){try{ds(s)}catch(o){t=o}}),n.__H=void 0,t&&$e.__e(t,n.__v))};Va=typeof requestAnimationFrame=="function"});function vs(){if(nt>1)nt--;else{var e,t=!1;for((function(){var o=hs;for(hs=void 0;o!==void 0;){var a=o.S;if(a.v===o.v)for(var i=a.t;i!==void 0;i=i.x)i.i===o.i&&
(i.i=a.i);o=o.o}})();Nn!==void 0;){var n=Nn;for(Nn=void 0,ps++;n!==void 0;){var s=n.u;if(n.u=void 0,n.f&=-3,!(8&n.f)&&za(n))try{n.c()}catch(o){t||(e=o,t=!0)}n=s}}
if(ps=0,nt--,t)throw e}}function zt(e){if(nt>0)return e();wo=++Al,nt++;try{return e()}finally{vs()}}function Xt(e){var t=oe,n=Sn;oe=void 0,Sn=void 0;try{return e()}finally{
oe=t,Sn=n}}function Ga(e){if(oe!==void 0){var t=e.n;if(t===void 0||t.t!==oe)return t={i:0,S:e,p:oe.s,n:void 0,t:oe,e:void 0,x:void 0,r:t},oe.s!==void 0&&(oe.s.n=
t),oe.s=t,e.n=t,32&oe.f&&e.S(t),t;if(t.i===-1)return t.i=0,t.n!==void 0&&(t.n.p=t.p,t.p!==void 0&&(t.p.n=t.n),t.p=oe.s,t.n=void 0,oe.s.n=t,oe.s=t),t}}function me(e,t){
this.v=e,this.i=0,this.n=void 0,this.t=void 0,this.l=0,this.W=t?.watched,this.Z=t?.unwatched,this.name=t?.name}function B(e,t){return new me(e,t)}function za(e){
for(var t=e.s;t!==void 0;t=t.n)if(t.S.i!==t.i||!t.S.h()||t.S.i!==t.i)return!0;return!1}function Xa(e){for(var t=e.s;t!==void 0;t=t.n){var n=t.S.n;if(n!==void 0&&
(t.r=n),t.S.n=t,t.i=-1,t.n===void 0){e.s=t;break}}}function Ya(e){for(var t=e.s,n=void 0;t!==void 0;){var s=t.p;t.i===-1?(t.S.U(t),s!==void 0&&(s.n=t.n),t.n!==void 0&&
(t.n.p=s)):n=t,t.S.n=t.r,t.r!==void 0&&(t.r=void 0),t=s}e.s=n}function St(e,t){me.call(this,void 0,t),this.x=e,this.s=void 0,this.g=ms-1,this.f=4}function Fe(e,t){
return new St(e,t)}function Za(e){var t=e.j;if(e.j=void 0,typeof t=="function"){nt++;var n=oe;oe=void 0;try{t()}catch(s){throw e.f&=-2,e.f|=8,ko(e),s}finally{oe=
n,vs()}}}function ko(e){for(var t=e.s;t!==void 0;t=t.n)t.S.U(t);e.x=void 0,e.s=void 0,Za(e)}function Il(e){if(oe!==this)throw new Error("Out-of-order effect");Ya(
this),oe=e,this.f&=-2;try{8&this.f&&ko(this)}finally{vs()}}function Yt(e,t){this.x=e,this.j=void 0,this.s=void 0,this.u=void 0,this.f=32,this.name=t?.name,Sn&&Sn.
push(this)}function Se(e,t){var n=new Yt(e,t);try{n.c()}catch(o){throw n.d(),o}var s=n.d.bind(n);return s[Symbol.dispose]=s,s}var Cl,Sn,oe,Nn,nt,ps,Al,wo,hs,ms,
_o=E(()=>{Cl=Symbol.for("preact-signals");oe=void 0;Nn=void 0,nt=0,ps=0,Al=0,wo=0,hs=void 0,ms=0;me.prototype.brand=Cl;me.prototype.h=function(){return!0};me.prototype.
S=function(e){var t=this,n=this.t;n!==e&&e.e===void 0&&(e.x=n,this.t=e,n!==void 0?n.e=e:Xt(function(){var s;(s=t.W)==null||s.call(t)}))};me.prototype.U=function(e){
var t=this;if(this.t!==void 0){var n=e.e,s=e.x;n!==void 0&&(n.x=s,e.e=void 0),s!==void 0&&(s.e=n,e.x=void 0),e===this.t&&(this.t=s,s===void 0&&Xt(function(){var o;
(o=t.Z)==null||o.call(t)}))}};me.prototype.subscribe=function(e){var t=this;return Se(function(){var n=t.value;Xt(function(){return e(n)})},{name:"sub"})};me.prototype.
valueOf=function(){return this.value};me.prototype.toString=function(){return this.value+""};me.prototype.toJSON=function(){return this.value};me.prototype.peek=
function(){var e=this;return Xt(function(){return e.value})};Object.defineProperty(me.prototype,"value",{get:function(){var e=Ga(this);return e!==void 0&&(e.i=this.
i),this.v},set:function(e){if(e!==this.v){if(ps>100)throw new Error("Cycle detected");(function(n){nt!==0&&ps===0&&n.l!==wo&&(n.l=wo,hs={S:n,v:n.v,i:n.i,o:hs})})(
this),this.v=e,this.i++,ms++,nt++;try{for(var t=this.t;t!==void 0;t=t.x)t.t.N()}finally{vs()}}}});St.prototype=new me;St.prototype.h=function(){if(this.f&=-3,1&
this.f)return!1;if((36&this.f)==32||(this.f&=-5,this.g===ms))return!0;if(this.g=ms,this.f|=1,this.i>0&&!za(this))return this.f&=-2,!0;var e=oe;try{Xa(this),oe=this;
var t=this.x();(16&this.f||this.v!==t||this.i===0)&&(this.v=t,this.f&=-17,this.i++)}catch(n){this.v=n,this.f|=16,this.i++}return oe=e,Ya(this),this.f&=-2,!0};St.
prototype.S=function(e){if(this.t===void 0){this.f|=36;for(var t=this.s;t!==void 0;t=t.n)t.S.S(t)}me.prototype.S.call(this,e)};St.prototype.U=function(e){if(this.
t!==void 0&&(me.prototype.U.call(this,e),this.t===void 0)){this.f&=-33;for(var t=this.s;t!==void 0;t=t.n)t.S.U(t)}};St.prototype.N=function(){if(!(2&this.f)){this.
f|=6;for(var e=this.t;e!==void 0;e=e.x)e.t.N()}};Object.defineProperty(St.prototype,"value",{get:function(){if(1&this.f)throw new Error("Cycle detected");var e=Ga(
this);if(this.h(),e!==void 0&&(e.i=this.i),16&this.f)throw this.v;return this.v}});Yt.prototype.c=function(){var e=this.S();try{if(8&this.f||this.x===void 0)return;
var t=this.x();typeof t=="function"&&(this.j=t)}finally{e()}};Yt.prototype.S=function(){if(1&this.f)throw new Error("Cycle detected");this.f|=1,this.f&=-9,Za(this),
Xa(this),nt++;var e=oe;return oe=this,Il.bind(this,e)};Yt.prototype.N=function(){2&this.f||(this.f|=2,this.u=Nn,Nn=this)};Yt.prototype.d=function(){this.f|=8,1&
this.f||ko(this)};Yt.prototype.dispose=function(){this.d()}});function Zt(e,t){G[e]=t.bind(null,G[e]||function(){})}function Tn(e){if(ys){var t=ys;ys=void 0,t()}ys=e&&e.S()}function tr(e){var t=this,n=e.data,s=nr(n);s.name=
"ReactiveDom",s.value=n;var o=b(function(){for(var l=t,c=t.__v;c=c.__;)if(c.__c){c.__c.__$f|=4;break}var u=Fe(function(){var p=s.value.value;return p===0?0:p===
!0?"":p||""}),d=Fe(function(){return!Array.isArray(u.value)&&!uo(u.value)}),$=Se(function(){if(this.N=sr,d.value){var p=u.value;l.__v&&l.__v.__e&&l.__v.__e.nodeType===
3&&(l.__v.__e.data=p)}}),f=t.__$u.d;return t.__$u.d=function(){$(),f.call(this)},[d,u]},[]),a=o[0],i=o[1];return a.value?i.peek():i.value}function Ol(e,t,n,s){var o=t in
e&&e.ownerSVGElement===void 0,a=B(n);return{o:function(i,l){a.value=i,s=l},d:Se(function(){this.N=sr;var i=a.value.value;s[t]!==i&&(s[t]=i,o?e[t]=i:i!=null&&(i!==
!1||t[4]==="-")?e.setAttribute(t,i):e.removeAttribute(t))})}}function nr(e,t){return b(function(){return B(e,t)},[])}function Ml(){zt(function(){for(var e;e=er.
shift();)Qa.call(e)})}function sr(){er.push(this)===1&&(G.requestAnimationFrame||Rl)(Ml)}var Qa,gs,ys,El,er,Rl,or=E(()=>{us();bo();_o();_o();El=typeof window<"u"&&
!!window.__PREACT_SIGNALS_DEVTOOLS__,er=[];Se(function(){Qa=this.N})();tr.displayName="ReactiveTextNode";Object.defineProperties(me.prototype,{constructor:{configurable:!0,
value:xn(dt,null).constructor},type:{configurable:!0,value:tr},props:{configurable:!0,get:function(){var e=this;return{data:{get value(){return e.value}}}}},__b:{
configurable:!0,value:1}});Zt("__b",function(e,t){if(Tn(),gs=void 0,typeof t.type=="string"){var n,s=t.props;for(var o in s)if(o!=="children"){var a=s[o];a instanceof
me&&(n||(t.__np=n={}),n[o]=a,s[o]=a.peek())}}e(t)});Zt("__r",function(e,t){if(e(t),t.type!==dt){Tn();var n,s=t.__c;s&&(s.__$f&=-2,(n=s.__$u)===void 0&&(s.__$u=n=
(function(o,a){var i;return Se(function(){i=this},{name:a}),i.c=o,i})((function(o){return function(){var a;El&&((a=this.y)==null||a.call(this)),o.__$f|=1,o.setState(
{})}})(s),typeof t.type=="function"?t.type.displayName||t.type.name:""))),gs=s,Tn(n)}});Zt("__e",function(e,t,n,s){Tn(),gs=void 0,e(t,n,s)});Zt("diffed",function(e,t){
Tn(),gs=void 0;var n;if(typeof t.type=="string"&&(n=t.__e)){var s=t.__np,o=t.props,a=n.U;if(a)for(var i in a){var l=a[i];l===void 0||s&&i in s||(l.d(),a[i]=void 0)}
if(s){a||(a={},n.U=a);for(var c in s){var u=a[c],d=s[c];u===void 0?(u=Ol(n,c,d,o),a[c]=u):u.o(d,o)}}}e(t)});Zt("unmount",function(e,t){if(typeof t.type=="string"){
var n=t.__e;if(n){var s=n.U;if(s){n.U=void 0;for(var o in s){var a=s[o];a&&a.d()}}}var i=t.__np;if(i){var l=t.props;for(var c in i)l[c]=i[c]}t.__np=void 0}else{
var u=t.__c;if(u){u.__$f|=8;var d=u.__$u;d&&(u.__$u=void 0,d.d())}}e(t)});Zt("__h",function(e,t,n,s){s<3&&(t.__$f|=2),e(t,n,s)});Ht.prototype.shouldComponentUpdate=
function(e,t){if(this.__R)return!0;var n=this.__$u,s=n&&n.s!==void 0;for(var o in t)return!0;if(this.__f||typeof this.u=="boolean"&&this.u===!0){var a=2&this.__$f;
if(!(s||a||4&this.__$f)||1&this.__$f)return!0}else if(!(s||4&this.__$f)||3&this.__$f)return!0;for(var i in e)if(i!=="__source"&&e[i]!==this.props[i])return!0;for(var l in this.
props)if(!(l in e))return!0;return!1};Rl=function(e){queueMicrotask(function(){queueMicrotask(e)})}});var r,z=E(()=>{us();Pa();bo();or();r=La.bind(xn)});function Ll(){let e={ApiRoot:"../",UiRoot:"./",ReadOnly:!1,Datacenter:"",PrimaryDatacenter:"",NodeName:"",Server:!1,ACLsEnabled:null,Version:"",DashboardURLTemplates:{}},
t=globalThis.document?.querySelector('meta[name="proconsul"]')?.getAttribute("content");return t?{...e,...JSON.parse(t)}:e}function Dn(e){try{return globalThis[e]??
null}catch{return null}}function Cn(e,t){let n=Dn("localStorage"),s=t;try{let a=n?.getItem(bs+e);a&&(s=JSON.parse(a))}catch{}let o=B(s);return Se(()=>{let a=JSON.
stringify(o.value);try{o.value===t?n?.removeItem(bs+e):n?.setItem(bs+e,a)}catch{}}),o}var C,_e,bs,ft,Nt,st,Me,ws,Tt,Qt,O,ue=E(()=>{z();C=Ll(),_e=C.Version!=="";
bs="proconsul.";ft=Cn("theme","auto"),Nt=Cn("compact",!1),st=Cn("readOnly",!1),Me=Fe(()=>C.ReadOnly||st.value),ws=Cn("valueView","auto"),Tt=Cn("remember",!1),Qt=
`${bs}token`,O=B(Dn("sessionStorage")?.getItem(Qt)??Dn("localStorage")?.getItem(Qt)??"");Se(()=>{let e=Dn("sessionStorage"),t=Dn("localStorage");try{O.value?e?.
setItem(Qt,O.value):e?.removeItem(Qt),O.value&&Tt.value?t?.setItem(Qt,O.value):t?.removeItem(Qt)}catch{}});Se(()=>{let e=globalThis.document?.documentElement;e&&
(ft.value==="auto"?delete e.dataset.theme:e.dataset.theme=ft.value,e.dataset.density=Nt.value?"compact":"comfortable")})});function ks(e){try{return decodeURIComponent(e)}catch{return e}}function xo(e){let t=e.replace(/^#?\/?/,""),n=t.indexOf("?"),s=n<0?t:t.slice(0,n),[o="",a="",...i]=s.
split("/");return{dc:ks(o),view:ks(a)||"overview",rest:i.map(ks).join("/"),parts:i.map(ks),query:new URLSearchParams(n<0?"":t.slice(n+1))}}function X(e){return e.
split("/").map(encodeURIComponent).join("/")}function v(e,t="",n={},s=D.value.dc){let o=new URLSearchParams(Object.entries(n).filter(([,l])=>l!=="")).toString(),
a=Array.isArray(t)?t.map(encodeURIComponent).join("/"):X(t),i=`#/${encodeURIComponent(s)}/${e}${a===""?"":`/${a}`}`;return o?`${i}?${o}`:i}function ar(e){let[t="",
n="",...s]=e.replace(/^\/+/,"").split("/");if(!t)return"";let o=s.join("/"),a=`#/${t}`;switch(n){case"services":{let[i,l,c,u]=s;return s.length>=4&&s[1]==="inst\
ances"?`${a}/instance/${i}/${s[2]}/${s[3]}`:u&&l&&c?`${a}/instance/${i}/${l}/${c}`:i?`${a}/services/${i}`:`${a}/services`}case"nodes":return s[0]?`${a}/nodes/${s[0]}`:
`${a}/nodes`;case"kv":return o.endsWith("/edit")?`${a}/key/${o.slice(0,-5)}`:`${a}/kv${o?`/${o}`:""}`;case"intentions":return`${a}/intentions`;case"acls":{let i={
"auth-methods":"methods"}[s[0]??""]??s[0]??"tokens";return`${a}/${i}${s[1]?`/${s[1]}`:""}`}default:return n?`${a}/${n}`:`${a}/services`}}function en(e){history.
replaceState(null,"",e),_s=e,D.value=xo(e)}function P(e){globalThis.location.hash=e}function V(e,t=""){let n=Fe(()=>D.value.query.get(e)??t);return{get value(){
return n.value},set value(s){let{dc:o,view:a,rest:i,parts:l,query:c}=D.peek(),u=new URLSearchParams(c);s===t?u.delete(e):u.set(e,s);let d=v(a,l,Object.fromEntries(
u),o);en(d)}}}var So,D,x,Ne,_s,Y=E(()=>{z();ue();So=()=>globalThis.location?.hash??"",D=B(xo(So())),x=Fe(()=>D.value.dc===C.Datacenter?"":D.value.dc),Ne=B(""),_s=
So();globalThis.addEventListener?.("hashchange",()=>{let e=So();if(e===_s)return;let t=D.peek(),n=xo(e),s=t.view!==n.view||t.rest!==n.rest||t.dc!==n.dc;if(s&&Ne.
peek()&&!globalThis.confirm(`${Ne.peek()} Leave without saving?`)){history.replaceState(null,"",_s||"#/");return}_s=e,zt(()=>{s&&(Ne.value=""),D.value=n})});globalThis.
addEventListener?.("beforeunload",e=>{Ne.peek()&&e.preventDefault()})});function Ul(e,t){return e!=="GET"&&e!=="HEAD"&&!Pl.some(n=>n.test(t))}function de(e,t={},n=x.peek()){let s=[];n&&n!==C.Datacenter&&s.push(`dc=${encodeURIComponent(
n)}`);for(let[o,a]of Object.entries(t))a!==void 0&&s.push(a===!0?o:`${o}=${encodeURIComponent(String(a))}`);return s.length?`${e}${e.includes("?")?"&":"?"}${s.join(
"&")}`:e}function jl(e){let t=decodeURIComponent(e.split("?")[0]??"").split("/");return t.every((n,s)=>n!=="."&&n!==".."&&(n!==""||s===t.length-1))}function xs(e){
return new URL(`${C.ApiRoot}v1/${e}`,globalThis.location.href.split("#")[0]).href}function ve(e,t,n){let s=["curl"];return e!=="GET"&&s.push("-X",e),O.value&&s.
push("-H",'"X-Consul-Token: $CONSUL_HTTP_TOKEN"'),n!==void 0&&s.push("--data-raw",An(typeof n=="string"?n:JSON.stringify(n))),s.push(An(xs(t))),s.join(" ")}function Ss(e,t,n){
return`dig @${e} -p ${t} ${/^\w[\w.-]*$/.test(n)?n:`-q ${An(n)}`} SRV`}function An(e){return`'${e.replaceAll("'","'\\''")}'`}async function ee(e,t,{params:n,body:s,
signal:o,dc:a,accept:i=[],patience:l=0,secret:c=O.peek()}={}){let u=de(t,n,a),d=Ul(e,t);if(d&&Me.peek())throw new ie(403,"This page is read-only.",e,u);Ns(e,u,c);
let $={};c&&($["X-Consul-Token"]=c);let f=s===void 0||typeof s=="string"||s instanceof Uint8Array||s instanceof Blob;f||($["Content-Type"]="application/json");let p,
m,g=new AbortController,h=()=>g.abort(),k=l?setTimeout(h,l):0;o?.addEventListener("abort",h),o?.aborted&&h();try{p=await fetch(xs(u),{method:e,headers:$,signal:g.
signal,cache:"no-store",credentials:"same-origin",redirect:d?"manual":"follow",body:f?s:JSON.stringify(s)}),clearTimeout(k),m=await p.text()}catch(_){throw o?.aborted?
_:new ie(0,"The agent does not answer.",e,u)}finally{clearTimeout(k),o?.removeEventListener("abort",h)}if(p.type==="opaqueredirect")throw new ie(400,"The reques\
t was sent on to another address. Nothing was changed.",e,u);if(!p.ok&&!i.includes(p.status))throw new ie(p.status,m.trim()||p.statusText,e,u);return{data:Fl(m),
text:m,status:p.status,headers:p.headers,index:Number(p.headers.get("X-Consul-Index"))||0}}function Ns(e,t,n){let s=jl(t)?/[^\x20-\x7e]/.test(n)?"This is no tok\
en: it holds characters that no header carries.":"":"No address carries this name: it has a part that is empty, . or .. between slashes.";if(s)throw Object.assign(
new ie(400,s,e,""),{unsent:!0})}function Fl(e){try{return e===""?null:JSON.parse(e.replace(ql,'$1"$2"'))}catch{return e}}async function te(e,t){return(await ee(
"GET",e,t)).data}async function*rr(e,t){let n={Range:"bytes=0-",...O.peek()?{"X-Consul-Token":O.peek()}:{}},s=await fetch(xs(e),{headers:n,signal:t,cache:"no-st\
ore"});if(!s.ok||!s.body)throw new ie(s.status,(await s.text()).trim(),"GET",e);let o=s.body.getReader();for(;;){let{done:a,value:i}=await o.read();if(a)return;
yield i}}async function ir(e,{params:t,signal:n,dc:s}={}){let o=de(e,t,s);Ns("GET",o,O.peek());let a=O.peek()?{"X-Consul-Token":O.peek()}:void 0,i=await fetch(xs(
o),{headers:a,signal:n,cache:"no-store"});if(!i.ok)throw new ie(i.status,(await i.text()).trim(),"GET",o);return i.blob()}var ie,Pl,ql,ye=E(()=>{ue();Y();ie=class extends Error{unsent=!1;constructor(t,n,s,o){
super(n||`${s} ${o}: ${t||"no answer"}`),this.status=t,this.method=s,this.path=o}},Pl=[/^internal\/acl\/authorize$/,/^acl\/log(in|out)$/,/^acl\/oidc\//];ql=/("Flags":\s*)(\d{16,})/gi});function Kl(e,t){let n=Math.min(3e4,500*2**Math.min(e-1,10));return Math.min(3e4,n*(.75+t*.5))}function No({status:e=0}){return e>=400&&e<500}function Wl(e,t){return t<=
0n||t<e?0n:t}async function*lr(e,t,n){let s=0n,o=0,a=!0;for(;!n.aborted;){let i=await t.slot(n),l=t.now(),c;try{let p=s>0n&&i.blocks?{index:String(s),wait:"55s"}:
{};c=await t.ask(e,p,n)}catch(p){if(n.aborted)return;let m=p,g=No(m);o+=1,yield{kind:g?"refused":"stale",error:m},s=0n,a=!0,i.free(),await t.sleep(Kl(g?Math.max(
o,5):o,t.random()),n);continue}finally{i.free()}o=0;let u=Wl(s,c.index),d=a||u===0n||u!==s;d&&(yield{kind:"data",data:c.data,index:c.index,headers:c.headers}),a=
u===0n&&s!==0n;let $=!d&&i.blocks&&t.now()-l<200,f=u===0n&&!a||!i.blocks||$;s=u,await t.sleep(f?5e3:30+(c.size??0)/1e6*300,n)}}var cr=E(()=>{});function Jl(){let e=To<Vl,t=e;return e&&(To+=1),{blocks:e,free(){t&&(To-=1),t=!1}}}function En(){for(let e of[...Do])e()}function fr(e,t){return new Promise(n=>{
let s=()=>{clearTimeout(o),Do.delete(s),t.removeEventListener("abort",s),n()},o=setTimeout(s,e);e>100&&Do.add(s),t.addEventListener("abort",s)})}async function Gl(e,t,n,s){
let o={async ask(a,i,l){let c=await ee("GET",a,{params:i,signal:l,dc:n,accept:[404],patience:In+(i.wait?55e3:0)});if(c.status===404&&!c.headers.has("X-Consul-In\
dex"))throw new ie(404,c.text.trim()||"There is nothing here.","GET",a);return{status:c.status,headers:c.headers,size:c.text.length,index:BigInt(/^\d+$/.exec(c.
headers.get("X-Consul-Index")??"")?.[0]??0),data:c.status===404?null:c.data}},sleep:fr,now:Date.now,random:Math.random,slot:async()=>Jl()};for await(let a of lr(
t,o,s)){if(s.aborted)return;if(a.kind==="data"){let i=e.peek().state==="stale";e.value=$r(a.data),i&&En()}else e.value=pr(e.peek(),a.error)}}function pr(e,t){let n=t,
s=e.state==="live"?Date.now():e.at||Date.now();return{...e,error:n,at:s,state:No(n)?"refused":"stale"}}function hr(e,t,n){return Dt.value=new Map(Dt.peek()).set(
e,{path:de(t,{},n),dc:n}),()=>{let s=new Map(Dt.peek());s.delete(e),Dt.value=s}}function zl(){Ct.value=!0;for(let e of tn.values())e();tn.clear();for(let e of Ts.
keys())e.value={...e.peek(),state:"paused"}}function Xl(){if(Ct.peek()){Ct.value=!1;for(let[e,t]of Ts)tn.set(e,t())}}function Ao(e,t=x.peek()){let n=B(Co()),s=()=>{
let a=new AbortController;return Gl(n,e,t,a.signal),()=>a.abort()};Ts.set(n,s);let o=hr(n,e,t);return Ct.peek()||tn.set(n,s()),{live:n,stop(){tn.get(n)?.(),tn.delete(
n),Ts.delete(n),o()}}}function M(e){let t=x.value,n=O.value,s=b(()=>e?Ao(e,t):null,[e,t,n]);return A(()=>()=>s?.stop(),[s]),s?.live??Yl}function Z(e,t=5e3){let n=x.
value,s=O.value,o=b(()=>B(Co()),[e,n,s]);return A(()=>{if(!e)return;let a=new AbortController,i=async()=>{for(;;){if(!Ct.peek())try{let{data:c}=await ee("GET",e,
{dc:n,signal:a.signal,patience:In});o.value=$r(c)}catch(c){if(a.signal.aborted)return;o.value=pr(o.peek(),c)}if(await fr(t,a.signal),a.signal.aborted)return}},l=hr(
o,e,n);return i(),()=>{a.abort(),l()}},[o]),o}var Vl,Hl,In,Dt,dr,Ct,To,Do,Co,$r,Ts,tn,ur,Yl,Te=E(()=>{z();ye();Y();ue();cr();Vl=4,Hl=6e4,In=3e4,Dt=B(new Map),dr=
Fe(()=>{let e=[...Dt.value.keys()].filter(t=>t.value.state==="stale").map(t=>t.value.at);return e.length?Math.min(...e):0}),Ct=B(!1),To=0;Do=new Set;Co=()=>({data:void 0,
error:null,at:0,state:"waiting"}),$r=e=>({data:e,error:null,at:Date.now(),state:"live"});Ts=new Map,tn=new Map,ur=0;globalThis.document?.addEventListener("visib\
ilitychange",()=>{clearTimeout(ur),document.hidden?ur=setTimeout(zl,Hl):(Xl(),En())});globalThis.addEventListener?.("online",En);Yl=B(Co())});async function tc(){for(Io=!0,await Promise.resolve();At.size;){let e=[...At.keys()].slice(0,Zl),t=e.map(a=>({Segment:"",...At.get(a)}));for(let a of e)At.delete(
a);let n=On,s;try{let{data:a}=await ee("POST","internal/acl/authorize",{body:t});s=e.map((i,l)=>a?.[l]?.Allow===!0),Ee.value??=!0}catch(a){if(a instanceof ie&&(a.
status===0||a.status>=500)){await new Promise(c=>{setTimeout(c,Ql)}),n===On&&t.forEach((c,u)=>At.set(e[u]??"",c));continue}let i=a instanceof Error?a.message:"",
l=/ACL support disabled/i.test(i);l&&(Ee.value=!1),s=e.map(()=>l)}if(n!==On)continue;let o=new Map(Ds.peek());e.forEach((a,i)=>o.set(a,s[i]??!1)),Ds.value=o}Io=
!1}function ot(e){if(Ee.value===!1)return!0;let t=ec(e),n=Ds.value.get(t);return n===void 0&&!At.has(t)&&(At.set(t,e),Io||tc()),n}function ae(e){return!Me.value&&
ot(e)===!0}var Zl,Ql,Ds,At,Io,On,Ee,ec,Oe=E(()=>{z();ye();ue();Y();Zl=64,Ql=2e3,Ds=B(new Map),At=new Map,Io=!1,On="",Ee=B(C.ACLsEnabled),ec=e=>`${e.Resource}
${e.Access}
${e.Segment??""}`;Se(()=>{let e=`${O.value}
${D.value.dc}`;e!==On&&(On=e,Ds.value=new Map)})});function Le(e){if(!Number.isFinite(e))return"";if(Math.abs(e)<1e3)return`${Math.round(e)} ms`;let t=Math.floor(Math.abs(e)/1e3),n=[];for(let[s,o]of nc){let a=Math.
floor(t/s);if(t-=a*s,a&&n.push(`${a} ${o}`),n.length===2||n.length===1&&!a)break}return(e<0?"-":"")+n.join(" ")}function Rn(e,t){return t-e<1e3?"now":`${Le(t-e)}\
 ago`}function Cs(e){if(typeof e=="number")return e/1e6;let t={h:36e5,m:6e4,s:1e3,ms:1,us:.001,µs:.001,ns:1e-6},n=e.match(/^-?(\d+(\.\d*)?(h|ms|m|s|us|µs|ns))+$/)?
e.matchAll(/(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|ns)/g):null;if(!n)return e==="0"?0:NaN;let s=0;for(let[,o,a]of n)s+=Number(o)*(t[a??""]??NaN);return e.startsWith("-")?
-s:s}function et(e){let t=["B","kB","MB","GB","TB"],n=0;for(;e>=1e3&&n<t.length-1;)e/=1e3,n+=1;return`${n===0||e>=100?Math.round(e):e.toFixed(1)} ${t[n]}`}function S(e,t,n=`${t}\
s`){return`${e.toLocaleString("en")} ${e===1?t:n}`}function It(e){let t=atob(e),n=new Uint8Array(t.length);for(let s=0;s<t.length;s+=1)n[s]=t.charCodeAt(s);return n}
function Je(e){let t="";for(let n=0;n<e.length;n+=32768)t+=String.fromCharCode(...e.subarray(n,n+32768));return btoa(t)}function $t(e){try{return new TextDecoder(
"utf-8",{fatal:!0,ignoreBOM:!0}).decode(e)}catch{return null}}function nn(e,t=65536){let n=[],s=e.subarray(0,t);for(let o=0;o<s.length;o+=16){let a=[...s.subarray(
o,o+16)],i=a.map((c,u)=>(u===8?" ":"")+c.toString(16).padStart(2,"0")).join(" "),l=a.map(c=>c>=32&&c<127?String.fromCharCode(c):".").join("");n.push(`${o.toString(
16).padStart(8,"0")}  ${i.padEnd(49)} |${l}|`)}return e.length>t&&n.push(`... ${e.length-t} more bytes`),n.join(`
`)}function Et(e){try{JSON.parse(e)}catch{return null}let t="",n=0,s=()=>`
${"  ".repeat(n)}`,o=e.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g)??[];for(let a=0;a<o.length;a+=1){let i=o[a],l=o[a+1];if(t.length>sc)return null;i===
"{"||i==="["?l==="}"||l==="]"?(t+=i+l,a+=1):(n+=1,t+=i+s()):i==="}"||i==="]"?(n-=1,t+=s()+i):i===","?t+=i+s():t+=i===":"?": ":i}return t}function Pe(e){return/^[0-9a-f]{8}-/i.
test(e)?e.slice(0,8):e}function be(e){return{maintenance:4,critical:3,warning:2,passing:1}[e]??0}function Mn(e){return e.reduce((t,n)=>be(n)>be(t)?n:t,"passing")}
function Ln(e){return[...e].sort((t,n)=>be(n.Status)-be(t.Status))}var nc,sc,he=E(()=>{nc=[[86400,"d"],[3600,"h"],[60,"min"],[1,"s"]];sc=8e6});function R({view:e,title:t,crumbs:n=[],actions:s,ready:o=!0,live:a,children:i}){return A(()=>{typeof t=="string"&&(document.title=`${t} · Consul`)},[t]),r`
    <main id="main" tabindex="-1" data-view=${e} data-ready=${String(o)}>
      <div class="page-head">
        ${n.length?r`<nav class="crumbs" aria-label="Path">${n.map(([l,c])=>r`<a href=${c}>${l}</a>`)}</nav>`:null}
        <h1>${t}</h1>
        <div class="actions">${s}</div>
      </div>
      ${a?r`<${Eo} live=${a} />`:null}
      ${i}
    </main>`}function Eo({live:e}){if(!e.error)return null;let{status:t,message:n,unsent:s}=e.error,o=s?"This cannot be asked for.":t===403?"This token may not \
see this.":t?`The agent answered with ${t}.`:"The agent does not answer.",a=e.state==="stale"&&e.data!==void 0?` What is shown was true ${Rn(e.at,Ge.value)}.`:"";
return r`<div class="note bad" role="alert"><b>${o}</b>${a} ${n!==o?r`<span class="reason">${n}</span>`:null}
    ${t===403?r` <a href=${v("login")}>Use another token</a>`:null}</div>`}function H({status:e,text:t=e,title:n}){return r`<span class=${`status s${be(e)}`} title=${n}><i aria-hidden="true"></i>${t}</span>`}
function Pn({passing:e,warning:t,critical:n}){return r`<span class="counts">
    ${n?r`<span class="status s3" title="critical"><i aria-hidden="true"></i>${n}<span class="sr"> critical</span></span>`:null}
    ${t?r`<span class="status s2" title="warning"><i aria-hidden="true"></i>${t}<span class="sr"> warning</span></span>`:null}
    ${e||!n&&!t?r`<span class=${`status ${e?"s1":"s0"}`} title="passing"><i aria-hidden="true"></i>${e}<span class="sr"> passing</span></span>`:null}
  </span>`}function Un({checks:e}){let t=n=>(e??[]).filter(s=>s.Status===n).length;return r`<${Pn} passing=${t("passing")} warning=${t("warning")} critical=${t(
"critical")} />`}function Ke({tags:e,max:t=1/0,pick:n}){let s=e??[],o=s.slice(0,t);return r`<span class="tags">
    ${o.map(a=>n?r`<button type="button" class="tag" title=${`Show only ${a}`} onClick=${()=>n(a)}>${a}</button>`:r`<span class="tag">${a}</span>`)}
    ${s.length>o.length?r`<span class="tag more" title=${s.slice(t).join(`
`)}>+${s.length-o.length}</span>`:null}
  </span>`}function W({pairs:e}){let t=e.filter(([,n])=>n!=null&&n!=="");return r`<dl class="facts">${t.map(([n,s])=>r`<div><dt>${n}</dt><dd>${s}</dd></div>`)}</dl>`}
function w({title:e,actions:t,children:n,id:s}){return r`<section class="card" id=${s}><header><h2>${e}</h2><div class="actions">${t}</div></header>${n}</section>`}
function T({children:e}){return r`<p class="empty">${e}</p>`}function ze({at:e}){return r`<time dateTime=${new Date(e).toISOString()} title=${new Date(e).toLocaleString()}>${Rn(
e,Ge.value)}</time>`}function L({text:e,label:t,block:n=!1}){let[s,o]=y(!1),i=r`<button type="button" class="quiet copy" onClick=${async()=>{await jn(e),o(!0),setTimeout(
()=>o(!1),1500)}} aria-label=${`Copy ${n?"":e}`} title="Copy">${s?"copied":t??"copy"}</button>`;return n?r`<div class="copy-block"><pre>${e}</pre>${i}</div>`:i}
async function jn(e){if(navigator.clipboard){await navigator.clipboard.writeText(e);return}let t=document.createElement("textarea");t.value=e,document.body.append(
t),t.select(),document.execCommand("copy"),t.remove()}function fe({data:e,label:t="JSON"}){return r`<details class="raw"><summary>${t}</summary><${L} text=${JSON.
stringify(e,null,2)} block /></details>`}function N({need:e,run:t,danger:n=!1,primary:s=!1,title:o,disabled:a=!1,children:i}){return ae(e)?r`<button type="button" data-change class=${n?
"danger":s?"primary":""} title=${o} disabled=${a} onClick=${t}>${i}</button>`:null}function q({need:e}){return ae(e)?null:r`<span class="hint">${Me.value?"read-\
only":`needs ${e.Resource}:${e.Access}`}</span>`}function pt({choice:e,tabs:t,label:n}){return r`<div class="tabs" role="group" aria-label=${n}>${t.map(([s,o])=>r`
    <button type="button" key=${s} aria-pressed=${e.value===s} onClick=${()=>{e.value=s}}>${o}</button>`)}</div>`}var Ge,pe=E(()=>{z();he();Oe();ue();Y();Ge=B(Date.
now());setInterval(()=>{globalThis.document?.hidden||(Ge.value=Date.now())},1e3)});function De(e){return qn.peek()?.resolve(!1),new Promise(t=>{qn.value={...e,resolve(n){qn.value=null,t(n)}}})}function U(e,t=!1){mr+=1;let n={text:e,bad:t,id:mr};
Ot.value=[...Ot.peek().slice(-3),n],setTimeout(()=>{Ot.value=Ot.peek().filter(s=>s!==n)},t?15e3:5e3)}async function j({method:e,path:t,params:n,body:s,shown:o=s,
done:a,question:i,refused:l}){let c=x.peek();try{if(Ns(e,t,O.peek()),i&&!await De({...i,curl:ve(e,de(t,n,c),o)}))return null;let u=await ee(e,t,{params:n,body:s,
dc:c}),d=l?.(u);return U(d??a,d!==void 0),En(),d===void 0?u:null}catch(u){return U(u instanceof Error?u.message:String(u),!0),null}}function Xe({title:e,close:t,
children:n,wide:s=!1,class:o=""}){let a=Q(null);return A(()=>{let i=a.current;return i?.showModal(),()=>i?.close()},[]),r`
    <dialog ref=${a} class=${`dialog ${s?"wide":""} ${o}`} aria-label=${e}
        onCancel=${i=>{i.preventDefault(),t()}}
        onClick=${i=>{i.target===a.current&&t()}}>
      <div class="dialog-inside">
        <header><h2>${e}</h2><button type="button" class="quiet" aria-label="Close" onClick=${t}>✕</button></header>
        ${n}
      </div>
    </dialog>`}function oc({asked:e}){let[t,n]=y(""),s=!e.typed||t===e.typed;return r`
    <${Xe} title=${e.title} close=${()=>e.resolve(!1)}>
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
    <//>`}function yr(){let e=qn.value;return r`
    ${e?r`<${oc} key=${e.title} asked=${e} />`:null}
    <div class="words" role="status" aria-live="polite">
      ${Ot.value.map(t=>r`<div key=${t.id} class=${t.bad?"word bad":"word"}>
        <span>${t.text}</span>
        <button type="button" class="quiet" aria-label="Dismiss"
          onClick=${()=>{Ot.value=Ot.peek().filter(n=>n!==t)}}>✕</button></div>`)}
    </div>`}var qn,Ot,mr,vr,we=E(()=>{z();ye();Te();Y();ue();pe();qn=B(null),Ot=B([]),mr=0;vr="";Se(()=>{let{dc:e,view:t,rest:n}=D.value,s=[e,t,n].join(`
`);s!==vr&&qn.peek()?.resolve(!1),vr=s})});function br(e,t,n,s=""){let o=!1,a=new Set;for(let[i,l]of t)a.add(i),o=gr(e,i,l,n)||o;if(s)for(let i of e.keys())i.startsWith(s)&&!a.has(i)&&(o=gr(e,i,"gone",n)||
o);return o}function gr(e,t,n,s){let o=e.get(t)??[];if(o.at(-1)?.status===n)return!1;let a=o.filter((i,l)=>(o[l+1]?.at??s)>s-As);return e.set(t,[...a,{at:s,status:n}].
slice(-ac)),!0}function Kn(e){return Ro.value,Oo.get(e)??[]}function Wn(e){br(Oo,e,Date.now())&&(Ro.value+=1)}function sn(e){return e.ChecksCritical?"critical":
e.ChecksWarning?"warning":"passing"}function Is(){let e=x.value,t=`${e}
${O.value}`;if(Fn?.of===t)return Fn.handle.live;Fn?.unsubscribe(),Fn?.handle.stop();let n=Ao("internal/ui/services",e),s=n.live.subscribe(({data:o,state:a})=>{if(a!==
"live"||!Array.isArray(o))return;let i=o.map(l=>[Rt(e,l.Name),sn(l)]);br(Oo,i,Date.now(),Rt(e,""))&&queueMicrotask(()=>{Ro.value+=1})});return Fn={of:t,handle:n,
unsubscribe:s},n.live}var As,ac,Oo,Ro,Rt,Bn,Fn,on=E(()=>{z();Te();Y();ue();As=36e5,ac=240,Oo=new Map,Ro=B(0);Rt=(e,t)=>`${e}/service/${t}`,Bn=(e,t,n)=>`${e}/che\
ck/${t}/${n}`;Fn=null});function Vn({changes:e,label:t,width:n=240}){let s=Ge.value,o=s-As,a=e.map((u,d)=>({status:u.status,start:Math.max(u.at,o),end:Math.max(e[d+1]?.at??s,o)})).filter(
u=>u.end>o),i=a[0]?.start??s,l=u=>(u-o)/As*n,c=a.map(u=>`${u.status} for ${Le(u.end-u.start)}`).join(", then ");return r`<svg class="strip" role="img" aria-label=${`${t}\
: ${c||"not seen yet"}`} viewBox=${`0 0 ${n} 14`} width=${n} height="14" preserveAspectRatio="none">
    <rect class="t-none" x="0" y="4" width=${Math.max(0,l(i))} height="6"><title>the page was not open</title></rect>
    ${a.map(u=>r`<rect class=${`t${be(u.status)} ${u.status==="gone"?"t-gone":""}`} x=${l(u.start)} y=${be(u.status)>=2?0:2}
      width=${Math.max(1.5,l(u.end)-l(u.start))} height=${be(u.status)>=2?14:10}>
      <title>${u.status} since ${new Date(u.start).toLocaleTimeString()}, for ${Le(u.end-u.start)}</title></rect>`)}
  </svg>`}function _r({servers:e}){let t=e.find(u=>u.leader),n=e.filter(u=>u!==t),[s,o,a]=[560,Math.min(170,540/Math.max(1,n.length)),24],i=n.length?172:74,l=u=>s/
2+(u-(n.length-1)/2)*o,c=`${S(e.length,"server")}, ${t?`${t.name} leads`:"nobody leads"}. ${n.map(u=>`${u.name}: ${wr(u)}`).join("; ")}`;return r`<svg class="cluster" role="img" aria-label=${c} viewBox=${`\
0 0 ${s} ${i}`}>
    ${t?n.map((u,d)=>r`<line x1=${s/2} y1=${a+26} x2=${l(d)} y2="112" class=${u.healthy?"wire":"wire broken"} stroke-width=${u.lag?1:2.5} />
      <text x=${(s/2+l(d))/2+6} y=${(a+148)/2} class="dim">${wr(u)}</text>`):null}
    ${t?r`<${kr} x=${s/2} y=${a} server=${t} width=${180} />`:r`<text x=${s/2} y="40" text-anchor="middle">no leader</text>`}
    ${n.map((u,d)=>r`<${kr} x=${l(d)} y=${120} server=${u} width=${o-12} />`)}
  </svg>`}function wr(e){return e.healthy?e.lag===null?"":e.lag===0?"level":`${S(e.lag,"entry","entries")} behind`:"unhealthy"}function kr({x:e,y:t,server:n,width:s}){
let o=Math.max(4,Math.floor(s/7.4)),a=n.name.length>o?`${n.name.slice(0,o-1)}…`:n.name;return r`<g class=${`box ${n.leader?"leads":""} ${n.voter?"":"silent"} ${n.
healthy?"":"broken"}`}>
    <rect x=${e-s/2} y=${t-18} width=${s} height="44" rx="7"><title>${n.name}</title></rect>
    <text x=${e} y=${t} text-anchor="middle">${a}</text>
    <text x=${e} y=${t+17} text-anchor="middle" class="dim">${n.leader?"leader":n.voter?"voter":"no vote"}${n.healthy?"":", unhealthy"}</text>
  </g>`}function xr({name:e,downstreams:t,upstreams:n,allowed:s}){let a=Math.max(t.length,n.length,1)*40+20,i=(d,$)=>a/2+(d-($-1)/2)*40,l=d=>({true:"allowed",false:"\
denied",null:""})[String(s(d))]??"",c=(d,$,f,p)=>d.map((m,g)=>r`
    <line x1=${f} y1=${i(g,d.length)} x2=${p} y2=${a/2} class=${s(m)===!1?"wire broken":"wire"} />
    <g class="box"><rect x=${$} y=${i(g,d.length)-15} width="170" height="30" rx="6"><title>${m.Name} ${l(m)}</title></rect>
    <text x=${$+85} y=${i(g,d.length)+4} text-anchor="middle">${m.Name.slice(0,22)}</text></g>`),u=`${e}: called by ${t.map(d=>d.Name).join(", ")||"nobody known"}\
; calls ${n.map(d=>d.Name).join(", ")||"nobody known"}`;return r`<svg role="img" aria-label=${u} viewBox=${`0 0 720 ${a}`} class="cluster">
    ${c(t,10,180,275)}${c(n,540,540,445)}
    <g class="box leads"><rect x="275" y=${a/2-18} width="170" height="36" rx="7" /><text x="360" y=${a/2+4} text-anchor="middle">${e.slice(0,22)}</text></g>
  </svg>`}var Mo=E(()=>{z();on();he();pe()});var Nr={};Ce(Nr,{default:()=>Sr});function Sr(){let e=Is().value,t=M("health/state/critical").value;return r`
    <${R} view="overview" title=${`Datacenter ${D.value.dc}`} ready=${e.data!==void 0||e.error!==null} live=${e}>
      <div class="cards"><${rc} /><${cc} rows=${e.data??[]} /></div>
      <${uc} live=${t} />
      <${dc} rows=${e.data??[]} />
      ${x.value?null:r`<div class="cards"><${fc} /><${pc} /></div>`}
    <//>`}function rc(){let e=ot({Resource:"operator",Access:"read"}),t=Z(e?"operator/autopilot/health":"",5e3).value,n=Z(e&&_e?"operator/autopilot/state":"",5e3).
value.data,s=Z(e===!1?"status/leader":"",5e3).value.data;if(e===!1)return r`<${w} title="Servers"><${W} pairs=${[["Leader",s||"none"]]} /><p class="hint">The rest needs operator:read.</p><//>`;
let o=t.data??ic(t.error);if(!o?.Servers)return r`<${w} title="Servers"><${T}>${t.error?t.error.message:"Asking."}<//><//>`;let a=Math.max(...o.Servers.map(l=>l.
LastIndex)),i=o.Servers.map(l=>({name:l.Name,leader:l.Leader,voter:l.Voter,healthy:l.Healthy,lag:l.LastIndex?a-l.LastIndex:null,contact:l.LastContact}));return r`<${w} title="Servers" actions=${r`<a href=${v(
"operations")}>Operations</a>`}>
    <${_r} servers=${i} />
    <p data-tolerance>${lc(o,i)}</p>
    ${n?.Servers?r`<ul>${Object.values(n.Servers).map(l=>(l.Why??[]).length?r`<li><b>${l.Name}</b>: ${l.Why.join("; ")}</li>`:null)}</ul>`:null}
    ${n?.Next?r`<p class="dim">Autopilot: ${n.Next}.</p>`:null}
    <div class="scroll-x"><table class="plain"><thead><tr><th>Server</th><th>State</th><th>Behind</th><th>Last contact</th><th>Version</th></tr></thead><tbody>
      ${o.Servers.map(l=>r`<tr key=${l.ID}><td><a href=${v("nodes",[l.Name])}>${l.Name}</a>${l.Leader?r` <span class="badge">leader</span>`:l.Voter?null:r` <span class="badge">no vote</span>`}</td>
        <td><${H} status=${l.Healthy?"passing":"critical"} text=${l.Healthy?"healthy":l.SerfStatus==="alive"?"unhealthy":l.SerfStatus} /></td>
        <td>${l.LastIndex?S(a-l.LastIndex,"entry","entries"):"not known"}</td><td>${l.LastContact}</td><td>${l.Version}</td></tr>`)}</tbody></table></div>
  <//>`}function ic(e){try{return e?JSON.parse(e.message):null}catch{return null}}function lc(e,t){let n=t.filter(l=>l.voter),s=n.filter(l=>l.healthy).length,o=Math.
floor(n.length/2)+1,a=Math.max(0,s-o),i=`${S(n.length,"voter")}, ${s} healthy; a change needs ${o}.`;return s<o?`${i} There are too few: nothing can be changed \
until more are back.`:`${i} ${a===0?"If one fails, nothing can be changed":`${S(a,"more server")} may fail`}${n.length===1?": add servers, three tolerate the lo\
ss of one.":"."}`}function cc({rows:e}){let t=a=>e.filter(i=>sn(i)===a).length,n=a=>e.reduce((i,l)=>i+(l[a]??0),0),s=(a,i)=>r`<div><div class="big">${a.toLocaleString(
"en")}</div>${i}</div>`,o=a=>r`<a href=${v("services","",{filter:`status:${a}`})}><${H} status=${a} /></a>`;return r`<${w} title="Services"><div class="numbers">${s(
e.length,r`<a href=${v("services")}>services</a>`)}${s(n("InstanceCount"),"instances")}
      ${s(t("critical"),o("critical"))}${s(t("warning"),o("warning"))}${s(t("passing"),o("passing"))}</div>
    <h3>Checks</h3><div class="numbers">${s(n("ChecksCritical"),r`<${H} status="critical" />`)}${s(n("ChecksWarning"),r`<${H} status="warning" />`)}${s(n("Check\
sPassing"),r`<${H} status="passing" />`)}</div><//>`}function uc({live:e}){let t=e.data??[];return r`<${w} title=${t.length?`${S(t.length,"check")} critical`:"N\
o check is critical"}>
    ${e.error?r`<${T}>${e.error.message}<//>`:null}
    ${t.length?r`<div class="scroll-x"><table class="plain"><thead><tr><th>Check</th><th>Of</th><th>Node</th><th>Output</th></tr></thead><tbody>
      ${t.slice(0,15).map(n=>r`<tr key=${`${n.Node}/${n.CheckID}`}><td>${n.Name||n.CheckID}</td>
        <td>${n.ServiceID?r`<a href=${v("instance",[n.ServiceName,n.Node,n.ServiceID])}>${n.ServiceName}</a>`:"the node"}</td>
        <td><a href=${v("nodes",[n.Node])}>${n.Node}</a></td><td class="mono">${String(n.Output??"").slice(0,160)}</td></tr>`)}</tbody></table></div>`:null}
    ${t.length>15?r`<p><a href=${v("services","",{filter:"status:critical"})}>All services with critical checks</a></p>`:null}<//>`}function dc({rows:e}){let t=x.
value,n=b(()=>e,[e]).map(s=>({name:s.Name,changes:Kn(Rt(t,s.Name))})).filter(s=>s.changes.length>1).sort((s,o)=>(o.changes.at(-1)?.at??0)-(s.changes.at(-1)?.at??
0));return r`<${w} title="The last hour"><p class="hint">As far as this page was open. The last to change first.</p>
    ${n.length?r`<div class="strips">${n.slice(0,12).map(s=>r`<a href=${v("services",[s.name])}>${s.name}</a><${Vn} changes=${s.changes} label=${s.name} width=${520} />`)}</div>`:
r`<${T}>No service has changed its health.<//>`}<//>`}function fc(){let{data:e,error:t}=M("event/list").value,n=[...e??[]].reverse().slice(0,10),s=o=>o?$t(It(o))??
"(binary)":"";return r`<${w} title="Recent events">${n.length?r`<table class="plain"><thead><tr><th>Event</th><th>Payload</th><th>For</th></tr></thead><tbody>
    ${n.map(o=>r`<tr key=${o.ID}><td>${o.Name}</td><td class="mono">${s(o.Payload).slice(0,120)}</td><td>${[o.NodeFilter,o.ServiceFilter,o.TagFilter].filter(Boolean).
join(" ")||"all"}</td></tr>`)}</tbody></table>`:r`<${T}>${t?t.message:"This agent has seen none."}<//>`}<//>`}function $c(e){if(e.renewal_failure)return e.renewal_failure.
failure_reason||"cannot be read";let t=e.days_remaining??0;return(e.seconds_remaining??0)<0?`ended ${S(-t,"day")} ago`:t<1?"today or tomorrow":`in ${S(t,"day")}`}
function pc(){let{data:e}=Z(_e?"agent/metrics/certificates":"",3e5).value;if(!e?.certificates)return null;let t=[...e.certificates].sort((s,o)=>(s.seconds_remaining??
0)-(o.seconds_remaining??0)),n={CRITICAL:"critical",WARNING:"warning",INFO:"passing"};return r`<${w} title=${`Certificates of ${C.NodeName}`}>${t.length?r`<table class="plain"><thead><tr><th>Certificate</th><th>Ends</th></tr></thead><tbody>
    ${t.map(s=>r`<tr key=${s.id}><td>${s.name} <span class="dim">${s.type} ${s.subject??""}</span></td>
      <td><${H} status=${n[s.severity]??""} text=${$c(s)} title=${s.not_after} /></td></tr>`)}</tbody></table>`:r`<${T}>This agent uses none.<//>`}<//>`}var Tr=E(
()=>{z();Te();on();ue();Y();Oe();he();pe();Mo()});function Es(e){let t=[];for(let[,n,s,o,a]of e.matchAll(/(-?)(?:([\w.-]+):)?(?:"([^"]*)"?|(\S+))/g)){let i=(o??a??"").toLowerCase();i&&t.push({field:(s??"").toLowerCase(),
text:i,not:n==="-"})}return t}function Os(e,t){let n=e.map(({field:s,text:o,not:a})=>{let i=Object.hasOwn(t,s)?t[s]:void 0,l=i?o:`${s}:${o}`,c=i??t[""];return u=>{
let d=c?.(u)??"";return(Array.isArray(d)?d.some(f=>f.toLowerCase().includes(l)):d.toLowerCase().includes(l))!==a}});return s=>n.every(o=>o(s))}function Dr(e,t){
let n=/\s/.test(t)?t.replace(/^([\w.-]+:)?(.*)$/s,'$1"$2"'):t,s=e.match(/-?(?:[\w.-]+:)?(?:"[^"]*"?|\S+)/g)??[];return s.includes(n)?s.filter(o=>o!==n).join(" "):
[...s,n].join(" ")}function Lo(e,t,n=4){let s=t.indexOf(e);if(s===0)return t.length===e.length?0:1;if(s>0){for(let a=s;a>0;a=t.indexOf(e,a+1))if(!/[\p{L}\p{N}]/u.
test(t[a-1]??""))return 2;return 3}if(n<4)return-1;let o=0;for(let a of e)if(a!==" "&&(o=t.indexOf(a,o)+1,o===0))return-1;return 4}function Hn(e,t,n){let s=e.trim().
toLowerCase();if(!s)return t.slice(0,n);let o=[];for(let a of t){let i=o.length===n?o[n-1]?.worth??0:1/0,l=Lo(s,a.low,Math.floor(i/1e5)),c=l*1e5+a.low.length;if(l<
0||c>=i)continue;let u=o.length;for(;u>0&&c<(o[u-1]?.worth??0);)u-=1;o.splice(u,0,{item:a,worth:c}),o.length>n&&o.pop()}return o.map(({item:a})=>a)}var Rs,an=E(
()=>{Rs=new Intl.Collator("en",{numeric:!0,sensitivity:"base"}).compare});function ne(e){let t=b(()=>V("filter"),[]),n=b(()=>V("sort",e.order??""),[e.order]),s=Q(!1),o=Q(new Map),a=Es(t.value),i=b(()=>yc(e.rows,e,n.value),[e.rows,n.value]),
l=b(()=>a.length?i.filter(Os(a,e.fields)):[...i],[i,t.value]),c=`${t.value}
${n.value}`,u=Q(c);if(s.current&&u.current===c){let $=o.current,f=p=>$.get(e.rowKey(p))??1/0;l.sort((p,m)=>{let[g,h]=[f(p),f(m)];return g===h?0:g-h})}else u.current=
c,o.current=new Map(l.map(($,f)=>[e.rowKey($),f]));let d=gc(e);return r`
    <div class="list-tools">
      <input type="search" class="filter" value=${t.value} placeholder="Filter" aria-label=${`Filter ${e.label}`} title=${vc(e)}
        data-filter onInput=${$=>{t.value=$.target.value}}
        onKeyDown=${$=>{$.key==="Escape"&&(t.value="")}} />
      ${(e.quick??[]).map(([$,f])=>r`<button type="button" class="chip" aria-pressed=${t.value.trim()===$}
        onClick=${()=>{t.value=t.value.trim()===$?"":$}}>${f}</button>`)}
      <span class="count" aria-live="polite">${l.length===e.rows.length?S(l.length,"row"):`${l.length.toLocaleString("en")} of ${S(e.rows.length,"row")}`}</span>
      <button type="button" class="quiet density" aria-pressed=${Nt.value} title="Dense rows"
        onClick=${()=>{Nt.value=!Nt.value}}>${Nt.value?"Comfortable":"Compact"}</button>
      ${e.tools}
    </div>
    ${e.rows.length===0&&e.empty?r`<p class="empty">${e.empty}</p>`:r`
      <${bc} list=${e} rows=${l} order=${n} marks=${d} onHover=${$=>{s.current=$}} />`}`}function vc(e){let t=Object.keys(e.fields).filter(Boolean);return`Words\
 that must all occur${t.length?`; ${t.map(n=>`${n}:`).join(" ")} for one column`:""}; a minus before what must not`}function yc(e,t,n){let s=n.startsWith("-"),o=t.
columns.find(i=>i.id===n.replace(/^-/,""))?.by;if(!o)return[...e];let a=e.map(i=>[o(i),i]);return a.sort(([i],[l])=>typeof i=="number"&&typeof l=="number"?i-l:Rs(
String(i),String(l))),s&&a.reverse(),a.map(([,i])=>i)}function gc({rows:e,rowKey:t,stamp:n}){let[s,o]=y(new Set),a=Q(null);return A(()=>{if(!n)return;let i=a.current;
if(a.current=new Map(e.map(u=>[t(u),n(u)])),!i?.size)return;let l=new Set([...a.current].filter(([u,d])=>i.get(u)!==d).map(([u])=>u));if(!l.size)return;o(l);let c=setTimeout(
()=>o(new Set),hc);return()=>clearTimeout(c)},[e]),s}function bc({list:e,rows:t,order:n,marks:s,onHover:o}){let{columns:a,rowKey:i,label:l,picked:c,onPick:u}=e,
d=Nt.value?26:38,$=Q(null),[f,p]=y({top:0,room:900,rushing:!1}),m=Q(0);Gt(()=>{let I=$.current;if(!I)return;let le=I.scrollTop,re=0,wn=()=>{m.current=0;let[ro,va]=[
I.scrollTop,I.clientHeight||900],ya=Math.abs(ro-le)>va*.75;le=ro,clearTimeout(re),ya&&(re=setTimeout(wn,mc)),p({top:ro,room:va,rushing:ya})},kn=()=>{m.current||=
requestAnimationFrame(wn)};I.addEventListener("scroll",kn,{passive:!0});let ma=new ResizeObserver(kn);return ma.observe(I),()=>{I.removeEventListener("scroll",kn),
ma.disconnect(),clearTimeout(re),cancelAnimationFrame(m.current)}},[]);let g=Math.max(0,Math.min(Math.floor(f.top/d)-Cr,t.length-1)),h=Math.min(t.length,Math.ceil(
(f.top+f.room)/d)+Cr),k=t.slice(g,h),_=wc(k.map(i),$.current),F=a.map(I=>I.width??"1fr").join(" "),xe=a.filter(I=>!I.wide).map(I=>I.width??"1fr").join(" "),ge=u?
"2rem ":"";Gt(()=>{$.current?.style.setProperty("--tracks",ge+F),$.current?.style.setProperty("--tracks-narrow",ge+xe),$.current?.style.setProperty("--row",`${d}\
px`)},[F,xe,d,ge]);let He=I=>{n.value=n.value===I.id?`-${I.id}`:I.id},ct=I=>{let le=new Set(c);le.delete(I)||le.add(I),u?.(le)},Qe=u&&t.length>0&&t.every(I=>c?.
has(i(I)));return r`
    <div class=${`list ${t.length<=12?"short":""}`} ref=${$} role="table" aria-label=${l} aria-rowcount=${t.length+1} tabindex="0" data-list
        onPointerEnter=${()=>o(!0)} onPointerLeave=${()=>o(!1)} onKeyDown=${I=>xc(I,d)}>
      <div role="rowgroup" class="list-head"><div role="row" class="row head" aria-rowindex="1">
        ${u?r`<span role="columnheader"><input type="checkbox" aria-label="Choose all" checked=${Qe}
          onChange=${()=>u(Qe?new Set:new Set(t.map(i)))} /></span>`:null}
        ${a.map(I=>r`
          <span role="columnheader" class=${I.wide?"wide":""} aria-sort=${Ar(n.value,I.id)}>
            ${I.by?r`<button type="button" class="quiet" onClick=${()=>He(I)}>${I.title}<i aria-hidden="true">${kc[Ar(n.value,I.id)??"none"]}</i></button>`:I.title}
          </span>`)}
      </div></div>
      <div role="rowgroup" class="list-rows" style=${{height:`${t.length*d}px`}}>
        ${k.map((I,le)=>{let re=i(I);return r`
            <div role="row" key=${_.get(re)} class=${`row ${s.has(re)?"changed":""}`} data-row=${re} aria-rowindex=${g+le+2}
                style=${{transform:`translateY(${(g+le)*d}px)`}} onClick=${_c}>
              ${u?r`<span role="cell"><input type="checkbox" aria-label=${`Choose ${re}`} checked=${c?.has(re)} onChange=${()=>ct(re)} /></span>`:null}
              ${a.map((wn,kn)=>r`<span role="cell" class=${wn.wide?"wide":""}>${f.rushing&&kn?null:wn.cell(I)}</span>`)}
            </div>`})}
      </div>
    </div>`}function wc(e,t){let n=Q(new Map),s=Q(0),o=new Set(e),a=document.activeElement,i=t?.contains(a)?a?.closest("[data-row]")?.getAttribute("data-row"):null,
l=[...n.current].filter(([c])=>!o.has(c)&&c!==i).map(([,c])=>c).reverse();return n.current=new Map(e.map(c=>[c,n.current.get(c)??l.pop()??(s.current+=1)])),n.current}
function Ar(e,t){return e===t?"ascending":e===`-${t}`?"descending":void 0}function _c(e){let t=e.target;if(t.closest("a, button, input, label, details")||globalThis.
getSelection()?.toString())return;let n=t.closest(".row")?.querySelector("a")?.getAttribute("href");n&&(globalThis.location.hash=n)}function xc(e,t){if(e.target.
matches("input:not([type=checkbox])")||e.ctrlKey||e.metaKey||e.altKey)return;let s={ArrowDown:1,j:1,ArrowUp:-1,k:-1}[e.key];if(!s)return;let o=e.currentTarget,a=[
...o.querySelectorAll(".list-rows .row")],i=a.findIndex(f=>f.contains(document.activeElement)),l=a.findIndex(f=>f.getBoundingClientRect().top>=o.getBoundingClientRect().
top+t-1),c=a[i<0?Math.max(0,l):i+s];if(!c)return;e.preventDefault(),c.querySelector("a, button")?.focus({preventScroll:!0});let[d,$]=[c.getBoundingClientRect(),
o.getBoundingClientRect()];d.top<$.top+t?o.scrollTop-=$.top+t-d.top:d.bottom>$.bottom&&(o.scrollTop+=d.bottom-$.bottom)}var Cr,hc,mc,kc,We=E(()=>{z();an();Y();ue();
he();Cr=8,hc=2e3,mc=100;kc={ascending:" ↑",descending:" ↓",none:""}});function Be(e){return Array.isArray(e)?e.map(Be):e===null||typeof e!="object"?e:Object.fromEntries(Object.entries(e).map(([t,n])=>[t,Sc.test(t)&&!Nc.test(t)&&n?
Ls:Be(n)]))}function Ps(e){return JSON.stringify(e)!==JSON.stringify(Be(e))}function Ms(e,t){if(e===Ls)return t;if(e===null||typeof e!="object")return e;let n=t!==
null&&typeof t=="object"?t:{};return Array.isArray(e)?e.map((s,o)=>Ms(s,n[o])):Object.fromEntries(Object.entries(e).map(([s,o])=>[s,Ms(o,n[s])]))}function Po(e,t=""){
if(e!==null&&typeof e=="object"){let n=Object.entries(e);return n.length===0?[{name:t,value:Array.isArray(e)?"[]":"{}"}]:n.flatMap(([s,o])=>Po(o,Array.isArray(e)?
`${t}[${s}]`:t?`${t}.${s}`:s))}return[{name:t,value:typeof e=="string"?e:JSON.stringify(e)}]}function Ir(e,t,n){let s=Date.parse(String(t?.Timestamp??"").replace(
" +0000 UTC","Z").replace(" ","T"))||n,o=[["gauge",t?.Gauges,"Value"],["counter",t?.Counters,"Count"],["sample",t?.Samples,"Mean"]];for(let[a,i,l]of o)for(let c of i??
[]){let u=Object.entries(c.Labels??{}).map(([m,g])=>`${m}=${g}`).join(" "),d=u?`${c.Name} ${u}`:c.Name,$=`${a} ${d}`,f=e.get($)??{name:d,kind:a,times:[],values:[],
last:{}};e.set($,f);let p=Number(c[l])||0;f.times.at(-1)===s?f.values[f.values.length-1]=p:(f.times.push(s),f.values.push(p)),f.times.length>Tc&&(f.times.shift(),
f.values.shift()),f.last=Object.fromEntries(Object.entries(c).filter(([,m])=>typeof m=="number"))}}function Er(e,t,n){let s=Math.min(...e),o=Math.max(...e)-s,a=e.
length>1?t/(e.length-1):0,i=l=>o?n-1-(l-s)/o*(n-2):n/2;return e.map((l,c)=>`${(c*a).toFixed(1)},${i(l).toFixed(1)}`).join(" ")}function Jn(e){let t=Math.abs(e);
return t>=1e9?`${(e/1e9).toFixed(2)} G`:t>=1e6?`${(e/1e6).toFixed(2)} M`:t>=1e4?`${(e/1e3).toFixed(1)} k`:Number.isInteger(e)?String(e):e.toFixed(t<1?4:2)}function Or(e,t){
let n=/\[(TRACE|DEBUG|INFO|WARN|ERROR|ERR)\]/.exec(e);return n?n[1]==="ERR"?"error":n[1].toLowerCase():t}function Rr(e){let t=e.split(/\r?\n/);return[t.slice(0,
-1),t.at(-1)??""]}function ht(e){let t=Date.parse(e.ExpirationTime??"");return t>0?t:0}function ke(e,t){return Object.fromEntries(Object.entries(e??{}).filter(([
n])=>!t.includes(n)))}function Mr(e){try{let t=JSON.parse(e);return t!==null&&typeof t=="object"&&!Array.isArray(t)?{data:t,problem:""}:{data:null,problem:"This\
 is not an object: it has to begin with { and end with }."}}catch(t){return{data:null,problem:`This is not JSON: ${t instanceof Error?t.message:t}`}}}function Us(e){
let t=e?.DebugConfig??{};return{domain:(t.DNSDomain||"consul.").replace(/\.$/,""),port:Number(/:(\d+)$/.exec(String(t.DNSAddrs?.[0]??""))?.[1]??t.DNSPort??8600)}}
var Sc,Nc,Ls,Tc,Ye=E(()=>{Sc=/secret|password|^token$|jwt$|privatekey|pemkey|bearer/i,Nc=/^(JWTSupportedAlgs|BoundAudiences|MaxTokenTTL)$/,Ls="(hidden)";Tc=180});var Lr={};Ce(Lr,{Check:()=>Gn,Instance:()=>Mc,Service:()=>Uo,addressOf:()=>mt,worst:()=>Mt});function Mt(e){return(e.Checks??[]).some(t=>/^_(node|service)_maintenance/.
test(t.CheckID))?"maintenance":Mn((e.Checks??[]).map(t=>t.Status))}function mt(e){let t=e.Service.Address||e.Node.Address;return e.Service.Port?`${t.includes(":")?
`[${t}]`:t}:${e.Service.Port}`:t}function Uo({name:e}){let t=M(`health/service/${X(e)}`).value,n=b(()=>V("tab","instances"),[]),s=b(()=>t.data??[],[t.data]);return A(
()=>{t.data&&Wn([[Rt(x.value,e),s.length?Mn(s.map(Mt)):"gone"]])},[t.data]),r`
    <${R} view="service" title=${e} crumbs=${[["Services",v("services")]]} ready=${t.data!==void 0||t.error!==null} live=${t}
        actions=${r`<${Ic} name=${e} />`}>
      <div class="dim">Last hour <${Vn} changes=${Kn(Rt(x.value,e))} label="Health in the last hour" width=${480} /></div>
      <${pt} choice=${n} label="What of the service" tabs=${[["instances",`Instances (${s.length})`],["checks","Checks"],["topology","Topology"],["ask","How to \
ask"],["json","JSON"]]} />
      ${n.value==="instances"?r`
        <${ne} label=${`instances of ${e}`} rows=${s} rowKey=${Dc} columns=${Ac} fields=${Cc} order="address"
          stamp=${o=>`${Mt(o)} ${mt(o)} ${o.Service.Tags}`}
          quick=${[["status:critical","critical"],["status:warning","warning"],["status:passing","passing"]]}
          empty="No instance of this service is registered, or this token may see none." />`:null}
      ${n.value==="checks"?r`<${Ec} entries=${s} />`:null}
      ${n.value==="topology"?r`<${Oc} name=${e} entries=${s} />`:null}
      ${n.value==="ask"?r`<${Rc} name=${e} entries=${s} />`:null}
      ${n.value==="json"?r`<${L} text=${JSON.stringify(t.data,null,2)} block />`:null}
    <//>`}function Ic({name:e}){let t={"Service.Name":e,"Service.Namespace":"default","Service.Partition":"default",Datacenter:D.value.dc},n=(C.DashboardURLTemplates?.
service??"").replace(/\{\{\s*([\w.]+)\s*\}\}/g,(s,o)=>encodeURIComponent(t[o]??""));return/^https?:\/\//.test(n)?r`<a class="button" href=${n} target="_blank" rel="noopener noreferrer">Dashboard</a>`:
null}function Ec({entries:e}){let t=new Map(e.flatMap(o=>(o.Checks??[]).map(a=>[`${a.Node}/${a.CheckID}`,a]))),n=Ln(t.values()),s=n.filter(o=>o.Status!=="passin\
g");return r`<${w} title=${s.length?"Not passing":"All checks pass"}>
    ${(s.length?s:n).slice(0,200).map(o=>r`<${Gn} key=${`${o.Node}/${o.CheckID}`} check=${o} where />`)}
    ${n.length===0?r`<${T}>There are no checks.<//>`:null}<//>`}function Gn({check:e,where:t=!1}){let n=e.Definition??{},s=Bn(x.value,e.Node,e.CheckID);return r`<section class=${`\
check c${be(e.Status)}`} data-check=${e.CheckID}>
    <header><h3>${e.Name||e.CheckID}</h3><${H} status=${e.Status} />
      ${t?r`<a href=${v("nodes",[e.Node])}>${e.Node}</a>`:null}
      <${Vn} changes=${Kn(s)} label=${`${e.Name||e.CheckID} in the last hour`} /></header>
    <${W} pairs=${[["Id",e.CheckID],["Of",e.ServiceID||"the node"],["Type",e.Type],["Notes",e.Notes],["Every",n.Interval],["Time-out",n.Timeout],["Asks",n.HTTP||
n.TCP||n.GRPC],["Deregisters after",n.DeregisterCriticalServiceAfter],["Changed at index",e.ModifyIndex]]} />
    ${e.Output?r`<pre class="output" tabindex="0" aria-label="Output">${e.Output}</pre>`:r`<p class="hint">No output.</p>`}
  </section>`}function Oc({name:e,entries:t}){let n=t[0]?.Service.Kind??"",s=M(`internal/ui/service-topology/${X(e)}?kind=${encodeURIComponent(n)}`).value,o=s.data;
if(!o){let l=s.error?.status===404||s.error?.status===400?"This agent does not know the topology of services.":s.error?s.error.message:"Asking.";return r`<${w} title="Topology"><${T}>${l}<//><//>`}
let a=l=>l.Intention?.Allowed??null,i=(l,c)=>r`<${w} title=${c}>
    ${l.length?r`<ul>${l.map(u=>r`<li><a href=${v("services",[u.Name])}>${u.Name}</a>
      ${a(u)===null?null:r` <span class="badge">${a(u)?"allowed":"denied"}</span>`}
      <${Pn} passing=${u.ChecksPassing??0} warning=${u.ChecksWarning??0} critical=${u.ChecksCritical??0} /></li>`)}</ul>`:r`<${T}>None is known.<//>`}<//>`;return r`<${w} title="Topology"><${xr} name=${e} downstreams=${o.
Downstreams??[]} upstreams=${o.Upstreams??[]} allowed=${a} /><//>
    <div class="cards">${i(o.Downstreams??[],"Called by")}${i(o.Upstreams??[],"Calls")}</div>`}function Rc({name:e,entries:t}){let n=Z("agent/self",6e5).value.data,
{domain:s,port:o}=Us(n),a=x.value?`${x.value}.`:"",i=location.hostname||"127.0.0.1",l=[...new Set(t.flatMap(d=>d.Service.Tags??[]))].filter(d=>/^[\w-]+$/.test(d)).
slice(0,5),c=[`${e}.service.${a}${s}`,...l.map(d=>`${d}.${e}.service.${a}${s}`)],u=[`health/service/${X(e)}?passing`,`catalog/service/${X(e)}`];return r`<${w} title="DNS">${o<=
0?r`<${T}>This agent answers no DNS.<//>`:c.map(d=>r`<${L} text=${Ss(i,o,d)} block />`)}<//>
    <${w} title="HTTP">${u.map(d=>r`<${L} text=${ve("GET",de(d))} block />`)}<//>`}function Mc({parts:e}){let[t="",n="",s=""]=e,o=M(`health/service/${X(t)}`).value,
a=(o.data??[]).find(l=>l.Node.Node===n&&l.Service.ID===s);A(()=>{a&&Wn((a.Checks??[]).map(l=>[Bn(x.value,l.Node,l.CheckID),l.Status]))},[o.data]);let i=o.data!==
void 0||o.error!==null;return r`
    <${R} view="instance" title=${s||t} ready=${i} live=${o} crumbs=${[["Services",v("services")],[t,v("services",[t])]]}
        actions=${a?r`<${Uc} entry=${a} />`:null}>
      ${i&&!a?r`<div class="note warn">There is no such instance (any more). <a href=${v("services",[t])}>All instances of ${t}</a></div>`:null}
      ${a?r`<${Lc} entry=${a} />`:null}
    <//>`}function Lc({entry:e}){let{Service:t,Node:n}=e,s=t.Proxy??{},o=Object.entries(t.TaggedAddresses??{}).map(([a,i])=>`${a}: ${i.Address}:${i.Port}`);return r`<div class="cards">
    <${w} title="Instance"><${W} pairs=${[["Status",r`<${H} status=${Mt(e)} />`],["Address",r`${mt(e)} <${L} text=${mt(e)} />`],["Node",r`<a href=${v("nodes",[n.
Node])}>${n.Node}</a> ${n.Address}`],["Kind",t.Kind],["Tags",t.Tags?.length?r`<${Ke} tags=${t.Tags} />`:""],["Weights",t.Weights?`passing ${t.Weights.Passing}, \
warning ${t.Weights.Warning}`:""],["Other addresses",o.join(", ")],["Tag override",t.EnableTagOverride?"others may change the tags":""],["Created, changed",`at \
index ${t.CreateIndex}, ${t.ModifyIndex}`]]} /><//>
    <${Pc} entry=${e} />
    ${Object.keys(t.Meta??{}).length?r`<${w} title="Meta"><${W} pairs=${Object.entries(t.Meta)} /><//>`:null}
    ${s.DestinationServiceName||s.Upstreams?.length||s.Expose?.Paths?.length?r`<${w} title="Proxy"><${W} pairs=${[["Stands for",s.DestinationServiceName?r`<a href=${v(
"services",[s.DestinationServiceName])}>${s.DestinationServiceName}</a> ${s.DestinationServiceID??""}`:""],["Mode",s.Mode],...(s.Upstreams??[]).map(a=>[a.DestinationName,
`${a.DestinationType??"service"} on ${a.LocalBindAddress||"127.0.0.1"}:${a.LocalBindPort}${a.Datacenter?` in ${a.Datacenter}`:""}`]),...(s.Expose?.Paths??[]).map(
a=>[`Exposes ${a.Path}`,`port ${a.ListenerPort} to ${a.LocalPathPort}, ${a.Protocol}`])]} /><//>`:null}
  </div>
  <${w} title="Checks">${(e.Checks??[]).length?Ln(e.Checks).map(a=>r`<${Gn} key=${a.CheckID} check=${a} />`):r`<${T}>It has no checks, so it counts as passing.<//>`}<//>
  <${fe} data=${e} />`}function Pc({entry:e}){let t=e.Node.Node===C.NodeName&&!x.value,n=(e.Checks??[]).some(l=>l.CheckID==="serfHealth"),s=Z(t&&_e?"agent/sync":
"",5e3).value.data,o=s?.Services?.[e.Service.ID],a=o?o.InSync?"the catalog has what the agent has":`not in sync: ${o.Why||o.LastError||"waiting"}${o.NextAttempt?
`, next attempt ${o.NextAttempt}`:""}`:"",i=t?s&&!o?"The catalog only: this agent does not know it and will remove it.":"This agent.":n?`The agent of ${e.Node.Node}\
, which keeps it as it is there.`:"The catalog: it was registered from outside, no agent keeps it.";return r`<${w} title="Owner"><${W} pairs=${[["Kept by",i],["\
Sync",a],["Source",e.Service.Meta?.["external-source"]]]} /><//>`}function Uc({entry:e}){let{Service:t,Node:n}=e,s=n.Node===C.NodeName&&!x.value,o={Resource:"se\
rvice",Access:"write",Segment:t.Service},a=(e.Checks??[]).some(u=>u.CheckID===`_service_maintenance:${t.ID}`),i=(e.Checks??[]).some(u=>u.CheckID==="serfHealth"),
l=()=>j({method:"PUT",path:`agent/service/maintenance/${X(t.ID)}`,params:{enable:String(!a),reason:a?void 0:"Set on the web page"},done:a?`${t.ID} answers again\
.`:`${t.ID} is in maintenance.`,question:{title:a?`End maintenance of ${t.ID}`:`Take ${t.ID} out of service`,confirm:a?"End maintenance":"Start maintenance",body:a?
"Its own checks count again.":"A critical check is added: DNS and queries for passing instances leave it out until maintenance ends. The program goes on running\
."}}),c=()=>j(s?{method:"PUT",path:`agent/service/deregister/${X(t.ID)}`,done:`${t.ID} is deregistered.`,question:{title:`Deregister ${t.ID}`,danger:!0,confirm:"\
Deregister",typed:t.ID,body:"This agent forgets the service and its checks and takes them out of the catalog. If it comes from a file, it is back at the next st\
art or reload."}}:{method:"PUT",path:"catalog/deregister",body:{Node:n.Node,ServiceID:t.ID,Datacenter:D.value.dc},done:`${t.ID} on ${n.Node} is deregistered.`,question:{
title:`Deregister ${t.ID} on ${n.Node}`,danger:!0,confirm:"Deregister",typed:t.ID,body:i?"It is taken out of the catalog, but the agent of that node keeps it an\
d will register it again within a minute or two. Deregister it there.":"It is taken out of the catalog. No agent keeps it."}});return r`<${q} need=${o} />
    ${s?r`<${N} need=${o} run=${l}>${a?"End maintenance":"Maintenance"}<//>`:null}
    <${N} need=${o} run=${c} danger>Deregister<//>`}var Dc,Cc,Ac,js=E(()=>{z();Te();ye();Y();ue();on();he();Ye();pe();we();We();Mo();Dc=e=>`${e.Node.Node}/${e.Service.
ID}`,Cc={"":e=>[mt(e),e.Node.Node,e.Service.ID,...e.Service.Tags??[]],status:Mt,node:e=>e.Node.Node,tag:e=>e.Service.Tags??[],id:e=>e.Service.ID,address:mt,meta:e=>Object.
entries(e.Service.Meta??{}).map(([t,n])=>`${t}=${n}`),output:e=>(e.Checks??[]).map(t=>t.Output??"")},Ac=[{id:"address",title:"Address",width:"minmax(8.5rem, 1.2\
fr)",by:mt,cell:e=>r`<a href=${v("instance",[e.Service.Service,e.Node.Node,e.Service.ID])}>${mt(e)}</a>`},{id:"status",title:"Status",width:"7.5rem",by:e=>-be(Mt(
e)),cell:e=>r`<${H} status=${Mt(e)} />`},{id:"checks",title:"Checks",width:"7rem",wide:!0,cell:e=>r`<${Un} checks=${e.Checks} />`},{id:"node",title:"Node",width:"\
minmax(6rem, 1fr)",wide:!0,by:e=>e.Node.Node,cell:e=>r`<a href=${v("nodes",[e.Node.Node])}>${e.Node.Node}</a>`},{id:"id",title:"Id",width:"minmax(6rem, 1fr)",wide:!0,
by:e=>e.Service.ID,cell:e=>e.Service.ID},{id:"tags",title:"Tags",width:"minmax(5rem, 1.5fr)",wide:!0,cell:e=>r`<${Ke} tags=${e.Service.Tags} max=${4} />`}]});var Ur={};Ce(Ur,{default:()=>Pr});function Pr({parts:e}){return e[0]?r`<${Uo} name=${e.join("/")} />`:r`<${Fc} />`}function jc(e){return r`${e.Kind||""}${(e.ProxyFor??
[]).map(t=>r` <span class="badge">for ${t}</span>`)}
    ${e.ConnectedWithProxy?r` <span class="badge" title="Has a proxy of the mesh">proxied</span>`:null}
    ${e.ConnectedWithGateway?r` <span class="badge" title="Behind a gateway">gateway</span>`:null}
    ${(e.ExternalSources??[]).map(t=>r` <span class="badge" title="Registered from outside">${t}</span>`)}`}function Fc(){let e=Is().value,t=b(()=>V("filter"),[]),
n=b(()=>e.data??[],[e.data]),s=a=>{t.value=Dr(t.value,`tag:${a}`)},o=[{id:"name",title:"Service",width:"minmax(9rem, 2fr)",by:a=>a.Name,cell:a=>r`<a href=${v("s\
ervices",[a.Name])}>${a.Name}</a>`},{id:"health",title:"Checks",width:"minmax(6.5rem, 1fr)",by:a=>-be(sn(a)),cell:a=>r`<${Pn} passing=${a.ChecksPassing} warning=${a.
ChecksWarning} critical=${a.ChecksCritical} />`},{id:"instances",title:"Instances",width:"5.5rem",by:a=>a.InstanceCount,cell:a=>a.InstanceCount,wide:!0},{id:"ki\
nd",title:"Kind",width:"11rem",by:a=>a.Kind??"",wide:!0,cell:jc},{id:"tags",title:"Tags",width:"minmax(6rem, 2fr)",wide:!0,cell:a=>r`<${Ke} tags=${a.Tags} max=${6} pick=${s} />`}];
return r`
    <${R} view="services" title="Services" ready=${e.data!==void 0||e.error!==null} live=${e}>
      <${ne} label="services" rows=${n} rowKey=${a=>a.Name} columns=${o} order="name" fields=${qc}
        stamp=${a=>`${a.InstanceCount} ${a.ChecksPassing} ${a.ChecksWarning} ${a.ChecksCritical} ${a.Tags}`}
        quick=${[["status:critical","critical"],["status:warning","warning"],["status:passing","passing"]]}
        empty="No services are registered, or this token may see none." />
    <//>`}var qc,jr=E(()=>{z();on();Y();an();he();pe();We();js();qc={"":e=>[e.Name,...e.Tags??[]],name:e=>e.Name,tag:e=>e.Tags??[],status:sn,kind:e=>e.Kind??"",
source:e=>e.ExternalSources??[],node:e=>e.Nodes??[]}});var Vr={};Ce(Vr,{default:()=>Kr,roundTripMs:()=>jo});function Kr({parts:e}){return e[0]?r`<${Vc} name=${e.join("/")} />`:r`<${Bc} />`}function jo(e,t){if(!e||!t||
e.Vec.length!==t.Vec.length)return NaN;let n=e.Vec.reduce((a,i,l)=>a+(i-t.Vec[l])**2,0),s=Math.sqrt(n)+e.Height+t.Height,o=s+e.Adjustment+t.Adjustment;return(o>
0?o:s)*1e3}function Wr(e,t){if(t)return qr[t.Status]??"";let n=x.value?(e?.Checks??[]).find(s=>s.CheckID==="serfHealth"):void 0;return n?n.Status==="critical"?"\
failed":"alive":""}function Br(){let e=!x.value,{data:t}=Z(e?"agent/members":"",5e3).value;return b(()=>new Map((t??[]).map(n=>[n.Name,n])),[t])}function Bc(){let e=M(
"internal/ui/nodes").value,t=Br(),n=Z("coordinate/nodes",3e4).value.data,s=Z("status/leader",1e4).value.data,o=b(()=>{let a=new Map((n??[]).map(l=>[l.Node,l.Coord])),
i=x.value?void 0:a.get(C.NodeName);return(e.data??[]).map(l=>{let c=t.get(l.Node),u=c?.Tags??{},d=u.role==="consul"?"server":u.role==="node"?"client":"";return{
...l,state:Wr(l,c),role:d,version:(u.build??l.Meta?.["consul-version"]??"").split(":")[0],leader:d==="server"&&s===`${l.Address}:${u.port}`,rtt:jo(i,a.get(l.Node))}})},
[e.data,t,n,s]);return r`
    <${R} view="nodes" title="Nodes" ready=${e.data!==void 0||e.error!==null} live=${e}>
      <${ne} label="nodes" rows=${o} rowKey=${a=>a.Node} columns=${Wc} fields=${Kc} order="name"
        stamp=${a=>`${qs(a)} ${(a.Services??[]).length} ${a.Address}`}
        quick=${[["status:critical","critical"],["status:warning","warning"],["role:server","servers"],["state:failed","failed"]]}
        empty="There are no nodes, or this token may see none." />
    <//>`}function Vc({name:e}){let t=M(`internal/ui/node/${X(e)}`).value,n=b(()=>V("tab","checks"),[]),s=Br(),o=t.data,a=s.get(e);A(()=>{o&&Wn((o.Checks??[]).map(
c=>[Bn(x.value,c.Node,c.CheckID),c.Status]))},[o]);let i=t.data!==void 0||t.error!==null,l=Wr(o,a);return r`
    <${R} view="node" title=${e} crumbs=${[["Nodes",v("nodes")]]} ready=${i} live=${t} actions=${o?r`<${Yc} node=${o} state=${l} />`:null}>
      ${i&&!o&&!t.error?r`<div class="note warn">There is no such node, or this token may not see it.</div>`:null}
      ${o?r`
        <${w} title="Node"><${W} pairs=${[["Checks",r`<${Un} checks=${o.Checks} />`],["Gossip",l?r`<${H} status=${Fr[l]??""} text=${l} />`:x.value?"":"no agent \
of this name is a member"],["Address",r`${o.Address} <${L} text=${o.Address} />`],["Other addresses",Object.entries(o.TaggedAddresses??{}).map(([c,u])=>`${c}: ${u}`).
join(", ")],["Id",o.ID],["Version",a?.Tags.build?.split(":")[0]]]} /><//>
        <${pt} choice=${n} label="What of the node" tabs=${[["checks",`Checks (${(o.Checks??[]).length})`],["services",`Services (${(o.Services??[]).length})`],
["sessions","Sessions"],["distance","Round trips"],["why","Evidence"],["meta","Meta"],["json","JSON"]]} />
        <${Hc} tab=${n.value} node=${o} member=${a} />`:null}
    <//>`}function Hc({tab:e,node:t,member:n}){switch(e){case"services":return r`<${Jc} node=${t} />`;case"sessions":return r`<${Gc} name=${t.Node} />`;case"dis\
tance":return r`<${zc} name=${t.Node} />`;case"why":return r`<${Xc} name=${t.Node} member=${n} />`;case"meta":return r`<${w} title="Meta"><${W} pairs=${Object.entries(
t.Meta??{})} />${Object.keys(t.Meta??{}).length?null:r`<${T}>None.<//>`}<//>`;case"json":return r`<${L} text=${JSON.stringify(t,null,2)} block />`;default:return r`<${w} title="Checks">${(t.
Checks??[]).length?Ln(t.Checks).slice(0,300).map(s=>r`<${Gn} key=${s.CheckID} check=${s} />`):r`<${T}>It has no checks.<//>`}<//>`}}function Jc({node:e}){let t=o=>(e.
Checks??[]).filter(a=>!a.ServiceID||a.ServiceID===o.ID),n=o=>qs({Checks:t(o)}),s=[{id:"service",title:"Service",width:"minmax(8rem, 1.5fr)",by:o=>o.Service,cell:o=>r`<a href=${v(
"instance",[o.Service,e.Node,o.ID])}>${o.Service}</a>`},{id:"status",title:"Status",width:"7.5rem",by:o=>-be(n(o)),cell:o=>r`<${H} status=${n(o)} />`},{id:"id",
title:"Id",wide:!0,by:o=>o.ID,cell:o=>o.ID},{id:"port",title:"Port",width:"5rem",wide:!0,by:o=>o.Port,cell:o=>o.Port||""},{id:"tags",title:"Tags",width:"1.5fr",
wide:!0,cell:o=>r`<${Ke} tags=${o.Tags} max=${4} />`}];return r`<${ne} label=${`services of ${e.Node}`} rows=${e.Services??[]} rowKey=${o=>o.ID} columns=${s} order="service"
    fields=${{"":o=>[o.Service,o.ID,...o.Tags??[]],status:n,tag:o=>o.Tags??[]}} empty="No services on this node." />`}function Gc({name:e}){let t=M(`session/nod\
e/${X(e)}`).value;return r`<${w} title="Lock sessions">${(t.data??[]).length?r`<div class="scroll-x"><table class="plain"><thead><tr><th>Session</th><th>Id</th><th>TTL</th><th>On its end</th></tr></thead><tbody>
    ${t.data.map(n=>r`<tr key=${n.ID}><td><a href=${v("sessions",[n.ID])}>${n.Name||"no name"}</a></td><td class="mono">${n.ID}</td><td>${n.TTL||"none"}</td><td>${n.
Behavior}</td></tr>`)}</tbody></table></div>`:r`<${T}>${t.error?t.error.message:t.data===void 0?"Asking.":"No sessions."}<//>`}<//>`}function zc({name:e}){let t=Z(
"coordinate/nodes",3e4).value.data,n=(t??[]).find(a=>a.Node===e)?.Coord,s=(t??[]).filter(a=>a.Node!==e).map(a=>({node:a.Node,ms:jo(n,a.Coord)})).filter(a=>!Number.
isNaN(a.ms)).sort((a,i)=>a.ms-i.ms);if(!s.length)return r`<${w} title="Round trips"><${T}>${t?"No coordinates to compare with.":"Asking."}<//><//>`;let o=a=>s[Math.
floor((s.length-1)*a)].ms.toFixed(2);return r`<${w} title="Round trips"><p>Estimated by the nodes' coordinates: shortest ${o(0)} ms, median ${o(.5)} ms, longest ${o(
1)} ms.</p>
    <table class="plain"><thead><tr><th>Node</th><th>Round trip</th></tr></thead><tbody>${s.slice(0,50).map(a=>r`<tr key=${a.node}><td><a href=${v("nodes",[a.node])}>${a.
node}</a></td><td>${a.ms.toFixed(2)} ms</td></tr>`)}</tbody></table><//>`}function Xc({name:e,member:t}){let n=_e&&!x.value,{data:s,error:o}=Z(n&&t?`agent/membe\
rs?why=${encodeURIComponent(e)}`:"",5e3).value;return n?t?r`<${w} title=${`Why this agent holds it for ${qr[t.Status]}`}>
    ${o?r`<${T}>${o.message}<//>`:null}
    ${(s?.Evidence??[]).length?r`<table class="plain"><thead><tr><th>When</th><th>From</th><th>What</th></tr></thead><tbody>
      ${[...s.Evidence].reverse().map(a=>r`<tr><td>${Rn(a.At*1e3,Ge.value)}</td><td>${a.From}</td><td>${a.What}</td></tr>`)}</tbody></table>`:null}
    <${W} pairs=${[["Forgotten",s?.ReapAt?new Date(s.ReapAt*1e3).toLocaleString():""],["Conflict",s?.Conflict],...Object.entries(t.Tags??{})]} /><//>`:r`<${w} title="Evidence"><${T}>No member of the gossip pool has this name.<//><//>`:
r`<${w} title="Evidence"><${T}>Only a proconsul agent of the same datacenter can tell.<//><//>`}function Yc({node:e,state:t}){let n=e.Node,s=!x.value,o=()=>j({method:"\
PUT",path:`agent/force-leave/${X(n)}`,done:`${n} has been made to leave.`,question:{title:`Force ${n} to leave`,danger:!0,typed:n,confirm:"Force leave",body:"It\
s state becomes left: the leader takes it with its services and checks out of the catalog, and a server out of the peers. If the agent still runs, it will come \
back by itself."}}),a=()=>j({method:"PUT",path:"catalog/deregister",body:{Node:n,Datacenter:D.value.dc},done:`${n} is deregistered.`,question:{title:`Deregister\
 node ${n}`,danger:!0,typed:n,confirm:"Deregister",body:`Its ${(e.Services??[]).length} services and ${(e.Checks??[]).length} checks go with it. No agent keeps \
it.`}});return r`
    ${s&&t&&t!=="left"&&n!==C.NodeName?r`<${N} need=${{Resource:"operator",Access:"write"}} run=${o} danger>Force leave<//>`:null}
    ${!t||t==="left"?r`<${N} need=${{Resource:"node",Access:"write",Segment:n}} run=${a} danger>Deregister<//>`:null}`}var qr,Fr,qs,Kc,Wc,Hr=E(()=>{z();Te();ye();
Y();ue();on();he();pe();we();We();js();qr=["none","alive","leaving","left","failed"],Fr={alive:"passing",leaving:"warning",left:"warning",failed:"critical"};qs=
e=>Mn((e.Checks??[]).map(t=>t.Status));Kc={"":e=>[e.Node,e.Address,...Object.values(e.Meta??{}).map(String)],name:e=>e.Node,address:e=>e.Address,status:qs,service:e=>(e.
Services??[]).map(t=>t.Service),meta:e=>Object.entries(e.Meta??{}).map(([t,n])=>`${t}=${n}`),state:e=>e.state,role:e=>e.role},Wc=[{id:"name",title:"Node",width:"\
minmax(8rem, 1.5fr)",by:e=>e.Node,cell:e=>r`<a href=${v("nodes",[e.Node])}>${e.Node}</a>
    ${e.leader?r` <span class="badge">leader</span>`:e.role==="server"?r` <span class="badge">server</span>`:null}`},{id:"status",title:"Checks",width:"minmax(6\
.5rem, 1fr)",by:e=>-be(qs(e)),cell:e=>r`<${Un} checks=${e.Checks} />`},{id:"state",title:"Gossip",width:"7rem",wide:!0,by:e=>e.state,cell:e=>e.state?r`<${H} status=${Fr[e.
state]??""} text=${e.state} />`:r`<span class="dim">no agent</span>`},{id:"address",title:"Address",width:"minmax(7rem, 1fr)",wide:!0,by:e=>e.Address,cell:e=>e.
Address},{id:"services",title:"Services",width:"5rem",wide:!0,by:e=>(e.Services??[]).length,cell:e=>(e.Services??[]).length},{id:"rtt",title:"Round trip",width:"\
6.5rem",wide:!0,by:e=>Number.isNaN(e.rtt)?1e9:e.rtt,cell:e=>Number.isNaN(e.rtt)?"":`${e.rtt.toFixed(2)} ms`},{id:"version",title:"Version",width:"6rem",wide:!0,
by:e=>e.version,cell:e=>e.version}]});function Fs(e,t){let n=new Set,s=new Set;for(let a of e){if(!a.startsWith(t))continue;let i=a.indexOf("/",t.length);i<0?s.add(a):n.add(a.slice(0,i+1))}let o=(a,i)=>[
...a].sort(Rs).map(l=>({key:l,name:l.slice(t.length),folder:i}));return[...o(n,!0),...o(s,!1)]}function Jr(e,t){return e.filter(n=>n.startsWith(t)).map(n=>({key:n,
name:n.slice(t.length),folder:!1}))}function Lt(e){return e.length<2?"":e.slice(0,e.lastIndexOf("/",e.length-2)+1)}function Ks(e){let t=[],n=Lt(e).length;for(let s=0;s<
n;){let o=e.indexOf("/",s)+1;t.push([e.slice(s,o-1),e.slice(0,o)]),s=o}return t}function zn(e){let t=e.split("/"),n="";for(let s=0;s<t.length;s+=1){let o=t[s]??
"",a=s===t.length-1,i=Zc.exec(o)?.[0]??"";if(i==="."||i===".."||i===""&&!a)return n;if(i!==o)return n+i;n+=a?o:`${o}/`}return n}function Ue(e){return zn(e)===e}
function se(e,t=!1){return e.replace(t?/[^\P{C}\n\t]|[\u2028\u2029]/gu:/\p{C}|[\u2028\u2029]/gu,n=>Qc[n]??`\\u{${(n.codePointAt(0)??0).toString(16)}}`)}var Zc,Qc,
Pt=E(()=>{an();Zc=/^(?:(?![\u{10000}-\u{10ffff}])[\p{L}\p{M}\p{N}\p{P}\p{S} ])*/u;Qc={"	":"\\t","\n":"\\n","\r":"\\r"}});function Xn(e){return{key:e.Key,bytes:It(e.Value??""),flags:String(e.Flags??0),session:e.Session??"",created:e.CreateIndex,modified:e.ModifyIndex,locks:e.LockIndex??
0}}function rn(e,t){return e.length===t.length&&e.every((n,s)=>n===t[s])}function vt(e){let t=$t(e);return t===null||/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(t)?
null:t}function Ut(e){let t=vt(e);if(t===null)return{mode:"base64",text:Je(e),ends:`
`};let n=new Set(t.match(/\r\n|\r|\n/g)??[`
`]),[s]=n;return{mode:"text",text:t.replace(/\r\n?/g,`
`),ends:n.size>1?"mixed":s}}function Ws(e,t){let n=t&&Ut(t);if(t&&n&&n.mode===e.mode&&n.text===e.text&&n.ends===e.ends)return t;if(e.mode==="text")return new TextEncoder().
encode(e.ends==="mixed"?e.text:e.text.replaceAll(`
`,e.ends));let s=e.text.replace(/\s/g,"");return si(s)?It(s):null}function Yr(e,t){if(!/^\s*[{[]/.test(e)&&!/\.json$/i.test(t))return"";try{return JSON.parse(e),
""}catch(n){return n instanceof Error?n.message:String(n)}}function Yn(e){return/^\d{1,20}$/.test(e)&&BigInt(e)<2n**64n}function Bs(e){return JSON.stringify(e).
replace(/"Flags":"(\d+)"/g,'"Flags":$1')}function qo(e,t,n,s){return{KV:{Verb:"cas",Key:e,Value:Je(t),Flags:n,Index:s}}}function yt(e,t,n,s){return Ue(e)?{method:"\
PUT",path:`kv/${X(e)}`,params:{cas:s,flags:n==="0"?void 0:n},body:t}:{method:"PUT",path:"txn",body:Bs([qo(e,t,n,s)])}}function Zr(e,t){return Ue(e)?{method:"DEL\
ETE",path:`kv/${X(e)}`,params:{cas:t}}:{method:"PUT",path:"txn",body:Bs([{KV:{Verb:"delete-cas",Key:e,Index:t}}])}}function Qr(e){return Ue(e)?{method:"DELETE",
path:`kv/${X(e)}?recurse`}:{method:"PUT",path:"txn",body:Bs([{KV:{Verb:"delete-tree",Key:e}}])}}function gt({method:e,path:t,params:n,body:s}){let o=s instanceof
Uint8Array?vt(s):s,a=de(t,n);return o===null?`${ve(e,a)} --data-binary @value`:ve(e,a,o)}function Fo(e){return(e.startsWith("-")?"-- ":"")+An(e)}function Ko(e,t=!1){
let n=e.flags==="0"||t?"":` -flags=${e.flags}`;return`consul kv ${t?"delete":"put"} -cas -modify-index=${e.modified}${n} ${Fo(e.key)}${t?"":" @value"}`}async function at({
method:e,path:t,params:n,body:s},o=x.peek()){let a=await ee(e,t,{params:n,body:s,dc:o,accept:t==="txn"?[409]:[]});if(a.status!==409)return a.data!==!1;let i=String(
a.data?.Errors?.[0]?.What??a.text);if(/index is stale/.test(i))return!1;throw new ie(409,i,e,t)}async function ei(e,t,n){if(Me.peek()){let{data:a}=await ee("GET",
`kv/${X(zn(t))}?recurse`,{dc:n,accept:[404]});return Array.isArray(a)?a.filter(i=>e==="get"?i.Key===t:i.Key.startsWith(t)):[]}let s=await ee("PUT","txn",{dc:n,body:[
{KV:{Verb:e,Key:t}}],accept:[409]});if(s.status!==409)return(s.data?.Results??[]).map(a=>a.KV);let o=String(s.data?.Errors?.[0]?.What??s.text);if(/doesn't exist/.
test(o))return[];throw new ie(/denied/i.test(o)?403:409,o,"PUT","txn")}async function jt(e,t=x.peek()){if(e==="")return null;let n=Ue(e)?(await ee("GET",`kv/${X(
e)}`,{dc:t,accept:[404]})).data:await ei("get",e,t);return Array.isArray(n)&&n[0]?Xn(n[0]):null}function qt(e,t=!1){let n=zn(e);return`kv/${X(n)}?keys${t&&n===e?
"&separator=/":""}`}async function Vs(e,t=x.peek()){let n=await ee("GET",qt(e),{dc:t,accept:[404]});return Array.isArray(n.data)?n.data.filter(s=>s.startsWith(e)):
[]}async function Hs(e,t=x.peek()){if(!Ue(e))return(await ei("get-tree",e,t)).map(Xn);let n=await ee("GET",`kv/${X(e)}?recurse`,{dc:t,accept:[404]});return Array.
isArray(n.data)?n.data.map(Xn):[]}function nu(e){let[t="",...n]=e,s=t.length;for(let o of n)for(;!o.startsWith(t.slice(0,s));)s-=1;return t.slice(0,s).replace(/[\ud800-\udbff]$/,
"")}async function su(e,t){let n=nu(e),s;try{s=await Vs(n,t)}catch{return new Map}let o=new Set(s),a=new Set(e.filter(l=>o.has(l))),i=new Map(e.filter(l=>!a.has(
l)).map(l=>[l,null]));if(a.size>Xr&&a.size*2>=s.length)for(let l of await Hs(n,t))a.has(l.key)&&i.set(l.key,l);return i}async function Wo(e,t,n=x.peek()){let s=e.
length>Xr?await su(e,n):new Map,o=e.filter(a=>!s.has(a)).reverse();return await Promise.all(Array.from({length:tu},async()=>{for(let a=o.pop();a!==void 0;a=o.pop()){
try{s.set(a,await jt(a,n))}catch(i){throw o.length=0,new Error(`${a}: ${i instanceof Error?i.message:i}`)}t?.(s.size)}})),s}function ou(e){let t=[],n=0;for(let s of e){
let o=(s.KV.Value?.length??0)+s.KV.Key.length,a=t.at(-1);!a||a.length>=eu||n+o>zr?(t.push([s]),n=o):(a.push(s),n+=o)}return t}async function Bo(e,t,n=x.peek()){
let s=0,o=[];for(let a of ou(e)){for(;a.length;){let i=await au(a,n);if(!i.size){s+=a.length;break}for(let[l,c]of i)o.push({key:a[l]?.KV.Key??"",why:c});a=a.filter(
(l,c)=>!i.has(c))}t?.(s+o.length)}return{done:s,refused:o}}async function au(e,t){let n=o=>new Map(e.map((a,i)=>[i,o])),[s]=e;try{if(e.length===1&&s&&(s.KV.Value?.
length??0)>zr&&Ue(s.KV.Key)){let{Key:i,Value:l="",Flags:c="0",Index:u=0}=s.KV;return await at(yt(i,It(l),c,u),t)?new Map:n("it has changed meanwhile")}let o=await ee(
"PUT","txn",{dc:t,body:Bs(e),accept:[409]});if(o.status!==409)return new Map;let a=o.data?.Errors??[];return a.length?new Map(a.map(({OpIndex:i,What:l})=>[i,/index is stale/.
test(l)?"it has changed meanwhile":l])):n(o.text)}catch(o){return n(o instanceof Error?o.message:String(o))}}function ti(e){let t=e.map(({key:n,flags:s,bytes:o})=>({
key:n,flags:s,value:Je(o)}));return`${JSON.stringify(t,null,"	").replace(/"flags": "(\d+)"/g,'"flags": $1')}
`}function ni(e){let t=JSON.parse(e.replace(/^\ufeff/,"").replace(/("flags":\s*)(\d{16,})/gi,'$1"$2"'));if(!Array.isArray(t))throw new Error("The JSON is not an\
 array of keys.");let n=new Set;return t.map((s,o)=>{let a=`Entry ${o+1}`;if(typeof s!="object"||s===null||Array.isArray(s))throw new Error(`${a} is not an obje\
ct.`);let{key:i,flags:l=0,value:c=""}=Object.fromEntries(Object.entries(s).map(([u,d])=>[u.toLowerCase(),d??void 0]));if(typeof i!="string"||i==="")throw new Error(
`${a} has no key.`);if(n.has(i))throw new Error(`${a}: the key ${i} is there twice.`);if(n.add(i),!Yn(String(l)))throw new Error(`${a} (${i}): flags must be a w\
hole number from 0 to 2^64-1.`);if(typeof c!="string"||!si(c))throw new Error(`${a} (${i}): the value is not base64.`);return{key:i,flags:String(l),bytes:It(c)}})}
function si(e){return e.length%4===0&&/^[A-Za-z0-9+/]*={0,2}$/.test(e)}async function oi(e,t){let n=await te(`kv/${X(zn(t))}?recurse`,{accept:[404]});return{keys:(Array.
isArray(n)?n.filter(o=>o.Session===e&&o.Key.startsWith(t)):[]).map(o=>o.Key),read:Array.isArray(n)?n.length:0}}var Gr,eu,zr,tu,Xr,ln=E(()=>{ye();Y();he();ue();Pt();
Gr=512*1024,eu=64,zr=38e4,tu=4,Xr=8});function ai(e){return e===""?[]:e.match(/[^\n]*\n|[^\n]+$/g)??[]}function cn(e,t){let[n,s]=[ai(e),ai(t)],o=0;for(;o<n.length&&o<s.length&&n[o]===s[o];)o+=1;let a=0;
for(;a<n.length-o&&a<s.length-o&&n[n.length-1-a]===s[s.length-1-a];)a+=1;let i=ru(n.slice(o,n.length-a),s.slice(o,s.length-a)),l=[...n.slice(0,o).map(c=>Ft("sam\
e",c)),...i.lines,...n.slice(n.length-a).map(c=>Ft("same",c))];return{lines:l,exact:i.exact,added:l.filter(c=>c.kind==="add").length,removed:l.filter(c=>c.kind===
"del").length}}function Ft(e,t){return t.endsWith(`
`)?{kind:e,text:t.slice(0,-1)}:{kind:e,text:t,open:!0}}function ru(e,t){let n=e.length&&t.length?iu(e,t):null;if(!n){let i=e.length===0||t.length===0;return{lines:[
...e.map(l=>Ft("del",l)),...t.map(l=>Ft("add",l))],exact:i}}let s=[],[o,a]=[e.length,t.length];for(let i=n.length-1;i>=0;i-=1){let l=o-a,c=n[i],u=l===-i||l!==i&&
Vo(c,i,l-1)<Vo(c,i,l+1),d=i===0?0:Vo(c,i,u?l+1:l-1),$=i===0?0:d-(u?l+1:l-1);for(;o>d&&a>$;)o-=1,a-=1,s.push(Ft("same",e[o]));if(i===0)break;u?s.push(Ft("add",t[a-
1])):s.push(Ft("del",e[o-1])),[o,a]=[d,$]}return{lines:s.reverse(),exact:!0}}function Vo(e,t,n){return e[n+t]??-1}function iu(e,t){let n=Math.min(e.length+t.length,
1500),s=n+1,o=new Int32Array(2*n+3).fill(-1);o[s+1]=0;let a=[],i=0;for(let l=0;l<=n;l+=1){a.push(o.slice(s-l,s+l+1));for(let c=-l;c<=l;c+=2){let[u,d]=[o[s+c-1]??
-1,o[s+c+1]??-1],$=c===-l||c!==l&&u<d?d:u+1,f=$-c;for(;$<e.length&&f<t.length&&e[$]===t[f];)$+=1,f+=1,i+=1;if(o[s+c]=$,$>=e.length&&f>=t.length)return a}if(i+=l,
i>2e7)return null}return null}function Js(e,t=3){let n=new Uint8Array(e.length);e.forEach((o,a)=>{o.kind!=="same"&&n.fill(1,Math.max(0,a-t),a+t+1)});let s=[];return e.
forEach((o,a)=>{let i=s.at(-1);n[a]?s.push(o):i?.kind==="skip"?i.count+=1:s.push({kind:"skip",count:1})}),s}var Ho=E(()=>{});function Go({before:e,after:t,label:n}){let[s,o]=y(!1),[a,i]=b(()=>[vt(e),vt(t)],[e,t]),l=b(()=>[Et(a??""),Et(i??"")],[a,i]),c=l[0]!==null&&l[1]!==null,u=b(()=>s&&
c?cn(l[0]??"",l[1]??""):a===null||i===null?cn(nn(e),nn(t)):cn(a,i),[e,t,s,c]),d=Js(u.lines);return r`
    <div class="actions"><span class="dim">${u.added||u.removed?`${S(u.added,"line")} added, ${S(u.removed,"line")} removed`:s?"Only white space differs.":"No d\
ifference."}${u.exact?"":"; too much differs to find the least change"}</span>
      ${c?r`<label><input type="checkbox" checked=${s} onChange=${()=>o(!s)} /> compare as formatted JSON</label>`:null}</div>
    <div class="diff" role="group" aria-label=${n} tabindex="0">
      ${d.slice(0,Jo).map($=>$.kind==="skip"?r`<div class="same">@@ ${S($.count,"equal line")} @@</div>`:r`<div class=${$.kind}>${lu[$.kind]}${se($.text,!0)}${$.
open&&$.kind!=="same"?r`<span class="dim"> (no line end)</span>`:null}</div>`)}
      ${d.length>Jo?r`<div class="same">@@ ${S(d.length-Jo,"more line")} @@</div>`:null}
    </div>`}function ri({name:e,draft:t,setDraft:n,flags:s,setFlags:o,fixed:a=!1}){let i=b(()=>Ws(t),[t]),l=t.mode==="text"?Yr(t.text,e):"",c=t.mode==="text"&&!l&&
/^\s*[{[]/.test(t.text),u=()=>{if(!i)return;let $=Ut(i);n(t.mode==="text"?{mode:"base64",text:Je(i),ends:`
`}:$)},d=async $=>{let f=$.target.files?.[0];f&&n(Ut(new Uint8Array(await f.arrayBuffer())))};return r`
    ${a?null:r`
      <label class="field whole"><span>Value${t.mode==="base64"?", as base64":""}</span>
        <textarea class="code" rows="14" spellcheck=${!1} autocapitalize="off" data-editor value=${t.text}
          onInput=${$=>n({...t,text:$.target.value})}></textarea></label>
      <div class="actions">
        <button type="button" disabled=${!i||t.mode==="base64"&&vt(i)===null} onClick=${u}>${t.mode==="text"?"As base64":"As text"}</button>
        <button type="button" disabled=${!c} title="Changes white space only" onClick=${()=>n({...t,text:Et(t.text)??t.text})}>Format JSON</button>
        <label class="button">From a file<input class="sr" type="file" onChange=${d} /></label>
        <span class="dim">${i?et(i.length):"This is not base64."}</span>
        ${t.ends===`\r
`||t.ends==="\r"?r`<span class="dim">Lines end with ${t.ends==="\r"?"CR":"CR LF"}, and will.</span>`:null}
      </div>
      ${t.ends==="mixed"?r`<p class="note warn">Some lines end with CR LF and some with LF. If you change the text, all will end with LF. As base64 they can be kept.</p>`:
null}
      ${l?r`<p class="note warn">This is not JSON as it stands: ${l}</p>`:null}
      ${i&&i.length>Gr?r`<p class="note bad">The value has ${i.length.toLocaleString("en")} bytes. An agent takes 524,288 unless it is configured otherwise.</p>`:
null}`}
    <label class="field"><span>Flags, a number the agent keeps with the value</span>
      <input inputmode="numeric" value=${s} onInput=${$=>o($.target.value.trim())} /></label>
    ${Yn(s)?null:r`<p class="note bad">Flags are a whole number from 0 to 18446744073709551615.</p>`}`}function cu({name:e,from:t,theirs:n,mine:s,flags:o,keep:a,
take:i,close:l}){let c=n&&n.flags!==t.flags;return r`
    <${Xe} title="This key was changed while you edited it" close=${l} wide>
      <div data-conflict>
      <p>Nothing of yours has been written. ${n?r`You have read index ${t.modified}; now it is ${n.modified}.`:r`The key <code>${se(e)}</code> has been deleted.`}</p>
      ${n?r`
        <h3>What they changed since you read it</h3>
        <${Go} before=${t.bytes} after=${n.bytes} label="What they changed" />
        ${c?r`<p>Flags: ${t.flags} then, ${n.flags} now.</p>`:null}
        <h3>What yours would change in theirs</h3>
        <${Go} before=${n.bytes} after=${s} label="What yours would change" />
        ${o!==n.flags?r`<p>Flags: ${n.flags} theirs, ${o} yours.</p>`:null}`:null}
      <div class="buttons">
        <button type="button" data-edit-on onClick=${l}>Go on editing</button>
        <button type="button" data-take-theirs onClick=${i}>${n?"Take theirs":"Leave it deleted"}</button>
        <${N} need=${{Resource:"key",Access:"write",Segment:e}} run=${a} danger><span data-keep-mine>${n?"Keep mine":"Create it with mine"}</span><//>
      </div></div>
    <//>`}function ii({base:e,live:t,close:n}){let s=e.key,[o,a]=y(e),[i,l]=y(()=>Ut(e.bytes)),[c,u]=y(e.flags),[d,$]=y(!1),[f,p]=y(!1),[m,g]=y(null),h=b(()=>Ws(
i,o.bytes),[i,o]),k=!h||!rn(h,o.bytes)||c!==o.flags;A(()=>(Ne.value=k?`Your change of ${s} is not saved.`:"",()=>{Ne.value=""}),[k]);let _=Q(null);A(()=>{_.current?.
querySelector(d?".diff":"[data-editor]")?.focus()},[d]),A(()=>()=>document.getElementById("main")?.focus({preventScroll:!0}),[]);let F=t===null||t&&t.modified>o.
modified&&!li(t,o),xe=I=>{a(I),l(Ut(I.bytes)),u(I.flags),$(!1)},ge=async(I,le=o.modified)=>{if(!(!h||f)){p(!0);try{let re=await uu(o,h,c,le);if("theirs"in re){g(
{pair:re.theirs});return}U(`Key ${s} saved.`),g(null),$(!1),I?a(re.now):n()}catch(re){U(bt(re),!0)}finally{p(!1)}}},He=()=>{m?.pair&&xe(m.pair),g(null),m?.pair||
n()},ct=h!==null&&Yn(c),Qe={Resource:"key",Access:"write",Segment:s};return r`
    <section class="card" data-editing ref=${_}>
      <header><h2>${d?"What will change":"Edit"}</h2></header>
      ${F?r`<div class="note warn" role="alert"><b>${t?"This key has just been changed elsewhere.":"This key has just been deleted elsewhere."}</b> What you edit is untouched.
        <button type="button" data-compare onClick=${()=>g({pair:t??null})}>Compare</button></div>`:null}
      ${d&&h?r`
        <${Go} before=${o.bytes} after=${h} label="What will change" />
        ${c===o.flags?null:r`<p>Flags: ${o.flags} before, ${c} after.</p>`}
        <details><summary>The request</summary><${L} text=${gt(yt(s,h,c,o.modified))} block /></details>
        <p class="hint">It is written only if the key is still as it was read, at index ${o.modified}.</p>`:r`<${ri} name=${s} draft=${i} setDraft=${l} flags=${c} setFlags=${u} />`}
      <div class="buttons">
        <button type="button" disabled=${f} onClick=${()=>d?$(!1):n()}>${d?"Back":"Cancel"}</button>
        ${d?r`
          <${N} need=${Qe} disabled=${f||!ct} run=${()=>ge(!0)}>Save and go on editing<//>
          <${N} need=${Qe} disabled=${f||!ct} run=${()=>ge(!1)} primary>Save<//>`:r`<button type="button" class="primary" data-review disabled=${!k||!ct} onClick=${()=>$(
!0)}>${k?"Review":"Nothing changed"}</button>`}
      </div>
      ${m?r`<${cu} name=${s} from=${o} theirs=${m.pair} mine=${h??o.bytes} flags=${c} close=${()=>g(null)}
        keep=${()=>ge(!1,m.pair?.modified??0)} take=${He} />`:null}
    </section>`}function li(e,t){return e.flags===t.flags&&rn(e.bytes,t.bytes)}async function uu(e,t,n,s){let o=x.peek(),a=await at(yt(e.key,t,n,s),o);if(!a){let l=await jt(
e.key,o);if(l&&s===e.modified&&li(l,e)&&(a=await at(yt(e.key,t,n,l.modified),o)),!a)return{theirs:await jt(e.key,o)}}let i=await jt(e.key,o);return{now:i&&i.flags===
n&&rn(i.bytes,t)?i:{...e,bytes:t,flags:n}}}function Gs({prefix:e,copy:t,close:n}){let[s,o]=y(e),[a,i]=y(()=>Ut(t?.bytes??new Uint8Array)),[l,c]=y(t?.flags??"0"),
[u,d]=y(""),[$,f]=y(!1),p=t?t.bytes:Ws(a),m=Q(null);A(()=>{m.current?.focus(),m.current?.setSelectionRange(s.length,s.length)},[]);let g=s!==""&&p!==null&&Yn(l),
h=p?yt(s,p,l,0):null,k=async _=>{if(_.preventDefault(),!(!g||!h||$)){f(!0);try{await at(h)?(U(`Key ${s} created.`),n(),P(v("key",s))):d("There is a key of this \
name already. Nothing was written.")}catch(F){d(bt(F))}finally{f(!1)}}};return r`
    <${Xe} title=${t?`Copy ${se(t.key)}`:"New key"} close=${n} wide>
      <form onSubmit=${k}>
        <label class="field whole"><span>Name, with slashes for folders</span>
          <input value=${s} autocomplete="off" spellcheck=${!1} data-name ref=${m} onInput=${_=>{o(_.target.value),d("")}} /></label>
        <${ri} name=${s} draft=${a} setDraft=${i} flags=${l} setFlags=${c} fixed=${!!t} />
        ${u?r`<p class="note bad" role="alert">${u}</p>`:null}
        ${s&&h?r`<details><summary>The request</summary><${L} text=${gt(h)} block /></details>`:null}
        <div class="buttons"><button type="button" onClick=${n}>Cancel</button>
          <button type="submit" class="primary" data-change disabled=${!g||$}>Create</button></div>
      </form>
    <//>`}var Jo,lu,bt,zo=E(()=>{z();Ho();he();ln();Y();Pt();pe();we();Jo=3e3,lu={same:"  ",add:"+ ",del:"- "},bt=e=>e instanceof Error?e.message:String(e)});var $i={};Ce($i,{Invalidate:()=>Xs,default:()=>fi,sessionName:()=>Zn});function Zn(e){return e.Name?`${e.Name} (${Pe(e.ID)})`:e.ID}function zs(e){return[...new Set(
[...e.NodeChecks??[],...(e.ServiceChecks??[]).map(t=>t.ID),...e.Checks??[]])]}function ui(e){return e.TTL&&Cs(e.TTL)||0}function di(e){return e.Behavior==="dele\
te"?"Every key it holds is deleted with its value.":`Every key it holds is released and keeps its value.${e.LockDelay?` For ${Le(e.LockDelay/1e6)} nobody can lo\
ck them again.`:""}`}function Xs({session:e}){let t=()=>void j({method:"PUT",path:`session/destroy/${X(e.ID)}`,done:`Session ${Zn(e)} ended.`,question:{title:`I\
nvalidate session ${Zn(e)}`,danger:!0,confirm:"Invalidate",body:r`<p>${di(e)}</p><p>Whoever made it, on node ${e.Node}, finds out when it next uses it.</p>`}});
return r`<${N} need=${ci(e)} danger run=${t}>Invalidate<//><${q} need=${ci(e)} />`}function fi({parts:[e=""]}){return e?r`<${fu} id=${e} />`:r`<${du} />`}function du(){
let e=M("session/list").value,t=b(()=>e.data??[],[e.data]),n=[{id:"name",title:"Session",width:"minmax(9rem, 2fr)",by:s=>s.Name||s.ID,cell:s=>r`<a href=${v("ses\
sions",[s.ID])} title=${s.ID}>${s.Name?r`${se(s.Name)} <span class="dim mono">${Pe(s.ID)}</span>`:Pe(s.ID)}</a>`},{id:"node",title:"Node",width:"minmax(6rem, 1f\
r)",by:s=>s.Node,cell:s=>r`<a href=${v("nodes",[s.Node])}>${s.Node}</a>`},{id:"ttl",title:"TTL",width:"6rem",by:ui,cell:s=>s.TTL||r`<span class="dim">none</span>`},
{id:"behaviour",title:"At its end",width:"8rem",by:s=>s.Behavior,wide:!0,cell:s=>`${s.Behavior}s keys`},{id:"delay",title:"Lock delay",width:"7rem",by:s=>s.LockDelay,
wide:!0,cell:s=>Le(s.LockDelay/1e6)},{id:"checks",title:"Checks",width:"minmax(6rem, 1fr)",wide:!0,by:s=>zs(s).length,cell:s=>zs(s).join(", ")||r`<span class="dim">none</span>`},
{id:"created",title:"Created at index",width:"10rem",wide:!0,by:s=>s.CreateIndex,cell:s=>s.CreateIndex}];return r`
    <${R} view="sessions" title="Sessions" ready=${e.data!==void 0||e.error!==null} live=${e}>
      ${e.data===void 0?null:r`<${ne} label="sessions" rows=${t} rowKey=${s=>s.ID} columns=${n} order="-created"
        fields=${{"":s=>[s.Name,s.ID,s.Node],name:s=>s.Name,node:s=>s.Node,check:zs,end:s=>s.Behavior}}
        quick=${[["end:delete","deletes keys"]]}
        empty="There are no sessions, or this token may see none. They are made by whatever takes locks: consul lock, or a client of its own." />`}
    <//>`}function fu({id:e}){let t=M(`session/info/${X(e)}`).value,n=t.data?.[0],s=t.data!==void 0||t.error!==null;return r`
    <${R} view="sessions" title=${n?n.Name||Pe(e):Pe(e)} crumbs=${[["Sessions",v("sessions")]]}
      ready=${s} live=${t} actions=${n?r`<${Xs} session=${n} />`:null}>
      ${t.data!==void 0&&!n?r`<${T}>This session has ended, or this token may not see it.<//>`:null}
      ${n?r`
        <div class="cards">
          <${w} title="Session">
            <${W} pairs=${[["Id",r`<code>${n.ID}</code> <${L} text=${n.ID} />`],["Name",n.Name],["Node",r`<a href=${v("nodes",[n.Node])}>${n.Node}</a>`],["At it\
s end",di(n)],["Lock delay",Le(n.LockDelay/1e6)],["Created",`at index ${n.CreateIndex}`]]} />
          <//>
          <${$u} session=${n} />
        </div>
        <${pu} session=${n} />
        <${fe} data=${n} />`:null}
    <//>`}function $u({session:e}){let t=zs(e),n=M(t.length?`health/node/${X(e.Node)}`:"").value,s=n.data??[];return r`
    <${w} title="What holds it alive">
      ${e.TTL?r`<p>Whoever made it must renew it within ${Le(ui(e))}. The cluster ends it after that time, at the latest after twice that.</p>`:null}
      ${t.length?r`<p>It ends as soon as one of these checks is critical or gone:</p>
        <ul class="plain-list">${t.map(o=>{let a=s.find(i=>i.CheckID===o);return r`<li key=${o}>${n.data===void 0?null:a?r`<${H} status=${a.Status} />`:r`<span class="dim">not found</span>`} ${a?.
Name??o}${a?.ServiceName?r` of <a href=${v("services",[a.ServiceName])}>${a.ServiceName}</a>`:null}</li>`})}</ul>`:null}
      ${!e.TTL&&!t.length?r`<p>Nothing: it lasts until it is ended or its node is taken out of the catalog.</p>`:null}
    <//>`}function pu({session:e}){let[t,n]=y(""),[s,o]=y(null),[a,i]=y(!1);return r`
    <${w} title="Keys it holds">
      <form class="actions" onSubmit=${async c=>{c.preventDefault(),i(!0);try{o(await oi(e.ID,t))}catch(u){U(u instanceof Error?u.message:String(u),!0)}finally{
i(!1)}}}>
        <label>Below <input value=${t} placeholder="all keys" aria-label="Prefix of the keys to look at" spellcheck=${!1} autocomplete="off"
          onInput=${c=>n(c.target.value)} /></label>
        <button type="submit" disabled=${a}>${a?"Reading":"Look for them"}</button>
        <span class="hint">The agent keeps no list by session, so all keys below are read, values too.</span>
      </form>
      <div aria-live="polite">${s?r`
        <p>${S(s.keys.length,"key")} of ${s.read.toLocaleString("en")} read.</p>
        <ul class="plain-list">${s.keys.slice(0,500).map(c=>r`<li key=${c}><a class="key-name" href=${v("key",c)}>${se(c)}</a></li>`)}</ul>
        ${s.keys.length>500?r`<p class="dim">The first 500 are shown.</p>`:null}`:null}</div>
    <//>`}var ci,Xo=E(()=>{z();ye();he();ln();Te();Y();Pt();pe();we();We();ci=e=>({Resource:"session",Access:"write",Segment:e.Node})});var hi={};Ce(hi,{default:()=>pi,download:()=>Ys});function hu(e){let t=e!==""&&Ue(e),n=M(t?`kv/${X(e)}`:qt(e)).value,[s,o]=y({});A(()=>{if(t||n.data===void 0)return;
let i=!0;return jt(e).then(l=>{i&&o({pair:l})},l=>{i&&o({error:l})}),()=>{i=!1}},[n.data]);let a=b(()=>n.data===void 0?void 0:n.data?.[0]?.Key===e?Xn(n.data[0]):
null,[n.data]);return t?{pair:a,live:n}:{pair:s.pair,live:s.error?{...n,error:s.error}:n}}function pi({rest:e}){let{pair:t,live:n}=hu(e),[s,o]=y(null),[a,i]=y(!1),
l={Resource:"key",Access:"write",Segment:e},c=[["Keys",v("kv")],...Ks(e).map(([d,$])=>[se(d)||"(empty)",v("kv",$)])],u=t&&!s?r`
    <${q} need=${l} />
    <${N} need=${l} primary run=${()=>o(t)}>Edit<//>
    <${N} need=${{...l,Segment:Lt(e)}} run=${()=>i(!0)}>Copy to a new key<//>
    <${N} need=${l} danger run=${()=>mu(t)}>Delete<//>`:null;return r`
    <${R} view="key" title=${se(e)||"(empty)"} crumbs=${c} actions=${u} live=${n} ready=${t!==void 0||n.error!==null}>
      ${s?r`<${ii} base=${s} live=${t} close=${()=>o(null)} />`:null}
      ${t&&!s?r`<${gu} pair=${t} />`:null}
      ${t?r`<${bu} pair=${t} />`:null}
      ${t===null&&!s?r`
        <${T}>There is no key of this name, or this token may not read it.<//>
        <div class="actions"><a class="button" href=${v("kv",e.endsWith("/")?e:Lt(e))}>What is in its folder</a>
          ${e?r`<${N} need=${l} run=${()=>i(!0)}>Create it<//>`:null}</div>`:null}
      ${a?r`<${Gs} prefix=${e} copy=${t??void 0} close=${()=>i(!1)} />`:null}
    <//>`}async function mu(e){let t=Zr(e.key,e.modified),n=e.session?" A session holds it; deleting it ends that lock.":"";if(await De({title:`Delete key ${se(
e.key)}`,danger:!0,confirm:"Delete",curl:gt(t),body:`Its value of ${et(e.bytes.length)} is lost. It is deleted only if it is still as shown, at index ${e.modified}\
.${n}`}))try{await at(t)?(U(`Key ${e.key} deleted.`),P(v("kv",Lt(e.key)))):U(`Key ${e.key} has changed meanwhile and was not deleted.`,!0)}catch(s){U(bt(s),!0)}}
function vu(e){let t=vt(e);return t===null?"hex":/^\s*[{[]/.test(t)&&Et(t)!==null?"json":"text"}function yu(e,t){if(t==="base64")return{text:Je(e),note:""};if(t===
"hex")return{text:nn(e),note:""};let n=$t(e);if(n===null)return{text:nn(e),note:"This is no text in UTF-8, so it is shown in hex."};if(t==="text")return{text:se(
n,!0),note:""};let s=Et(n);return s===null?{text:se(n,!0),note:"This is not JSON, or nested too deep to be formatted, so it is shown as text."}:{text:se(s,!0),note:"\
Formatted for reading. The stored bytes are as they were written."}}function gu({pair:e}){let[t,n]=y(!1),s=vu(e.bytes),o=ws.value==="auto"?s:ws.value,{text:a,note:i}=b(
()=>yu(e.bytes,o),[e.bytes,o]),l={json:"JSON",text:"text",hex:"hex"},c=b(()=>$t(e.bytes)??Je(e.bytes),[e.bytes]);return r`
    <${w} title="Value" actions=${r`<button type="button" class="quiet" onClick=${()=>Ys(e.bytes,e.key.split("/").at(-1)||"value")}>Download</button>
        <${L} text=${c} label=${$t(e.bytes)===null?"copy base64":"copy"} />`}>
      <${pt} choice=${ws} label="How to read it" tabs=${[["auto",`Auto (${l[s]})`],["text","Text"],["json","JSON"],["hex","Hex"],["base64","Base64"]]} />
      ${i?r`<p class="hint">${i}</p>`:null}
      ${e.bytes.length?r`<pre class=${`value ${a.startsWith("00000000  ")?"hex":""}`} data-value tabindex="0" aria-label="Value">${t?a:a.slice(0,Yo)}</pre>`:r`<${T}>The value is empty.<//>`}
      ${a.length>Yo&&!t?r`<p><button type="button" onClick=${()=>n(!0)}>Show all ${a.length.toLocaleString("en")} characters</button> <span class="dim">The first ${Yo.
toLocaleString("en")} are shown.</span></p>`:null}
    <//>`}function Ys(e,t){let n=document.createElement("a");n.href=URL.createObjectURL(new Blob([e],{type:"application/octet-stream"})),n.download=t,n.click(),
setTimeout(()=>URL.revokeObjectURL(n.href),1e4)}function bu({pair:e}){let{key:t,flags:n}=e,s=Fo(t),o=Ue(t)?ve("GET",de(`kv/${X(t)}?raw`)):ve("PUT",de("txn"),[{KV:{
Verb:"get",Key:t}}]),a=yt(t,new Uint8Array([0]),n,e.modified);return r`
    <div class="cards">
      <${w} title="About this key">
        <${W} pairs=${[["Size",`${e.bytes.length.toLocaleString("en")} bytes`],["Flags",n==="0"?"0":`${n} (0x${BigInt(n).toString(16)})`],["Created",`at index ${e.
created}`],["Changed",r`at index <span data-modified>${e.modified}</span>`],["Locked",e.locks===0?"never":`${S(e.locks,"time")} so far`]]} />
        <h3>Lock</h3>
        ${e.session?r`<${wu} key=${e.session} id=${e.session} />`:r`<${T}>No session holds it.<//>`}
      <//>
      <${w} title="In a terminal">
        <${L} text=${o} block />
        ${Ue(t)?r`
          <${L} text=${`consul kv get -detailed ${s}`} block />
          <details><summary>Changing it</summary>
            <${L} text=${gt(a)} block /><${L} text=${Ko(e)} block /><${L} text=${Ko(e,!0)} block /></details>`:r`<p class="hint">No path of a request carries this name unchanged, so the command line does not reach the key. A transaction does.</p>`}
      <//>
    </div>`}function wu({id:e}){let t=M(`session/info/${encodeURIComponent(e)}`).value,n=t.data?.[0];return r`
    <${W} pairs=${[["Session",r`<a href=${v("sessions",[e])}>${n?Zn(n):e}</a>`],["Node",n?r`<a href=${v("nodes",[n.Node])}>${n.Node}</a>`:""]]} />
    ${t.data!==void 0&&!n?r`<${T}>This token may not see the session.<//>`:null}
    ${n?r`<div class="buttons left"><${Xs} session=${n} /></div>`:null}`}var Yo,Zo=E(()=>{z();ye();he();ln();Te();Y();ue();Pt();pe();we();zo();Xo();Yo=1e5});var yi={};Ce(yi,{default:()=>mi});function mi({rest:e}){let t=b(()=>V("flat"),[]),n=t.value==="1",s=M(qt(e,!n)).value,o=b(()=>(n?Jr:Fs)(s.data??[],e),[s.data,n]),
[a,i]=y(new Set),[l,c]=y(""),u={Resource:"key",Access:"write",Segment:e},d=Ks(e).map(([m,g])=>[se(m)||"(empty)",v("kv",g)]),$=()=>c(""),f=()=>{i(new Set),t.value=
n?"":"1"},p=r`
    <${q} need=${u} />
    <${N} need=${u} primary run=${()=>c("new")}>New key<//>
    <${N} need=${u} run=${()=>c("import")}>Import<//>
    ${e?r`<${N} need=${{...u,Access:"write-prefix"}} danger run=${()=>Nu(e)}>Delete folder<//>`:null}`;return r`
    <${R} view="kv" title=${se(e)||"Keys"} crumbs=${e?[["Keys",v("kv")],...d]:[]} actions=${p}
        live=${s} ready=${s.data!==void 0||s.error!==null}>
      ${s.data===void 0?null:r`<${ne} label="keys" rows=${o} rowKey=${m=>m.key} stamp=${m=>m.key} columns=${ku(e,n)}
        fields=${{"":m=>m.name||m.key,is:m=>m.folder?"folder":"key"}}
        picked=${a} onPick=${i}
        tools=${r`<button type="button" class="chip" data-flat aria-pressed=${n} title="Every key below, without folders" onClick=${f}>Flat</button>
          <${_u} prefix=${e} flat=${n} picked=${a} clear=${()=>i(new Set)} some=${o.length>0} />`}
        empty=${e?"There are no keys below this prefix, or this token may see none.":"There are no keys yet, or this token may see none."} />`}
      ${l==="new"?r`<${Gs} prefix=${e} close=${$} />`:null}
      ${l==="import"?r`<${Tu} close=${$} />`:null}
    <//>`}function ku(e,t){return[{id:"name",title:t&&e?`Key below ${se(e)}`:"Name",width:"minmax(0, 1fr)",cell:n=>{let s=n.folder?v("kv",n.key,t?{flat:"1"}:{}):
v("key",n.key);return r`<a class=${`key-name ${n.folder?"folder":""}`} href=${s}>${n.name?se(n.name):se(n.key)}</a>${n.name?null:r` <span class="badge">the key named as the folder</span>`}`}},
{id:"is",title:"Is a",width:"5rem",wide:!0,cell:n=>r`<span class="dim">${n.folder?"folder":"key"}</span>`}]}function _u({prefix:e,flat:t,picked:n,clear:s,some:o}){
let[a,i]=y(""),l=m=>!t&&m.endsWith("/")&&m!==e,c=[...n].filter(l),u=[...n].filter(m=>!l(m)),d=[...n].slice(0,64).every(m=>ae({Resource:"key",Access:l(m)?"write-\
prefix":"write",Segment:m})),$=async m=>{try{await m()}catch(g){U(bt(g),!0)}finally{i("")}},f=()=>$(async()=>{i("Reading");let m=n.size?await xu(c,u,g=>i(`Read ${g}`),
x.peek()):await Hs(e);Ys(ti(m),`consul-kv-${(e||"all").replace(/[^\w.-]+/g,"-").replace(/-$/,"")}.json`),U(`${S(m.length,"key")} exported.`)}),p=()=>$(async()=>{
let m=x.peek(),g=(await Promise.all(c.map(F=>Vs(F,m)))).flat(),h=[...new Set([...g,...u])];if(m!==x.peek()||!await Su(h,c))return;let{done:k,refused:_}=await Bo(
h.map(F=>({KV:{Verb:"delete",Key:F}})),F=>i(`Deleted ${F}`),m);s(),vi("deleted",k,_)});return r`
    ${n.size?r`<span class="count">${S(n.size,"chosen","chosen")}</span>`:null}
    ${o?r`<button type="button" data-export disabled=${a!==""} title="As the JSON of consul kv export" onClick=${f}>${n.size?"Export chosen":"Export all below"}</button>`:
null}
    ${n.size&&d?r`<button type="button" class="danger" data-change data-delete-chosen disabled=${a!==""} onClick=${p}>Delete chosen</button>`:null}
    ${n.size?r`<button type="button" class="quiet" onClick=${s}>Choose none</button>`:null}
    <span class="dim" aria-live="polite">${a}</span>`}async function xu(e,t,n,s){let o=new Map;for(let a of e){for(let i of await Hs(a,s))o.set(i.key,i);n(o.size)}
for(let[a,i]of await Wo(t.filter(l=>!o.has(l)),n,s))i&&o.set(a,i);return[...o.values()].sort((a,i)=>a.key<i.key?-1:1)}function vi(e,t,n){let s=n.slice(0,5).map(
({key:a,why:i})=>`${a}: ${i}`),o=n.length>s.length?` and ${n.length-s.length} more`:"";U(`${S(t,"key")} ${e}.${n.length?` ${S(n.length,"key")} not: ${s.join("; ")}${o}\
.`:""}`,n.length>0)}async function Su(e,t){return e.length?De({title:`Delete ${S(e.length,"key")}`,danger:!0,confirm:`Delete ${S(e.length,"key")}`,typed:`delete\
 ${e.length}`,body:r`<p>Their values are lost${t.length?`. ${S(t.length,"folder")} chosen: only the keys that are in them now are deleted`:""}. Locks on them end.</p><${Qo} keys=${e} />`,
curl:ve("PUT",de("txn"),e.slice(0,64).map(n=>({KV:{Verb:"delete",Key:n}})))}):(U("There are no keys in what is chosen.",!0),!1)}function Qo({keys:e}){return r`<ul class="plain-list output">${e.
slice(0,un).map(t=>r`<li key=${t} class="key-name mono">${se(t)}</li>`)}
    ${e.length>un?r`<li>and ${S(e.length-un,"more","more")}</li>`:null}</ul>`}async function Nu(e){try{let t=x.peek(),n=await Vs(e,t);if(t!==x.peek())return;if(!n.
length){U("There are no keys below it.",!0);return}let s=Qr(e);if(!await De({title:`Delete all below ${se(e)}`,danger:!0,confirm:`Delete ${S(n.length,"key")}`,typed:e,
curl:gt(s),body:r`<p>${S(n.length,"key")} of this prefix at this moment, with their values and locks. One that is added before the answer comes goes too.</p><${Qo} keys=${n} />`}))
return;await at(s,t),U(`${S(n.length,"key")} below ${e} deleted.`),P(v("kv",Lt(e)))}catch(t){U(bt(t),!0)}}function Tu({close:e}){let[t,n]=y(""),[s,o]=y(null),[a,
i]=y(""),[l,c]=y(""),u=async f=>{let p=f.target.files?.[0];p&&n(await p.text())},d=async()=>{i(""),c("Reading");try{let f=ni(t),p=await Wo(f.map(({key:h})=>h),h=>c(
`Read ${h} of ${f.length}`)),m=f.map(h=>({...h,now:p.get(h.key)??null})),g=h=>!!(h.now&&h.now.flags===h.flags&&rn(h.now.bytes,h.bytes));o({write:m.filter(h=>!g(
h)),same:m.filter(g).map(({key:h})=>h)})}catch(f){i(bt(f))}c("")},$=async()=>{if(!s)return;c("Writing");let f=s.write.map(({key:g,flags:h,bytes:k,now:_})=>qo(g,
k,h,_?.modified??0)),{done:p,refused:m}=await Bo(f,g=>c(`Written ${g} of ${f.length}`));vi("written",p,m),e()};return r`
    <${Xe} title="Import keys" close=${e} wide>
      ${s?r`<${Du} plan=${s} />`:r`
        <p>The JSON of <code>consul kv export</code>. Keys are written under the names in it. Nothing is written before you have seen what would change.</p>
        <div class="actions"><label class="button">From a file<input class="sr" type="file" accept=".json,application/json" data-import-file onChange=${u} /></label></div>
        <label class="field whole"><span>Or paste it</span>
          <textarea class="code" rows="12" spellcheck=${!1} data-import value=${t} onInput=${f=>n(f.target.value)}></textarea></label>`}
      ${a?r`<p class="note bad" role="alert">${a}</p>`:null}
      <div class="buttons"><span class="dim" aria-live="polite">${l}</span>
        <button type="button" disabled=${l!==""} onClick=${()=>s?o(null):e()}>${s?"Back":"Cancel"}</button>
        ${s?r`<button type="button" class=${s.write.some(({now:f})=>f)?"danger":"primary"} data-change disabled=${l!==""||!s.write.length} onClick=${$}>Write ${S(
s.write.length,"key")}</button>`:r`<button type="button" class="primary" disabled=${l!==""||!t.trim()} onClick=${d}>See what would change</button>`}
      </div>
    <//>`}function Du({plan:e}){let t=e.write.filter(({now:s})=>!s),n=e.write.filter(({now:s})=>s);return r`
    <h3>${S(t.length,"new key")}</h3>
    ${t.length?r`<${Qo} keys=${t.map(({key:s})=>s)} />`:null}
    <h3>${S(n.length,"key")} overwritten</h3>
    ${n.length?r`<ul class="plain-list output">${n.slice(0,un).map(({key:s,bytes:o,flags:a,now:i})=>r`
      <li key=${s}><a class="key-name mono" href=${v("key",s)} target="_blank">${se(s)}</a> <span class="dim">${et(i?.bytes.length??0)} now, ${et(o.length)} then${a===
i?.flags?"":`, flags ${i?.flags} now, ${a} then`}</span></li>`)}
      ${n.length>un?r`<li>and ${S(n.length-un,"more","more")}</li>`:null}</ul>`:null}
    <h3>${S(e.same.length,"key")} the same already</h3>
    <p class="hint">Written in transactions of up to 64 keys. A key that changes before its turn comes is left alone and named afterwards.</p>`}var un,gi=E(()=>{
z();ye();he();ln();Te();Oe();Y();Pt();pe();we();We();Zo();zo();un=200});function J({label:e,value:t,set:n,hint:s,list:o,type:a="text",required:i=!1,placeholder:l,disabled:c}){let u=b(()=>`f${Math.random().toString(36).slice(2)}`,[]);
return r`<div class="field"><label><span>${e}</span>
    <input type=${a} value=${t} required=${i} placeholder=${l} disabled=${c} list=${o?u:void 0} aria-describedby=${s?`${u}h`:void 0}
      autocomplete="off" spellcheck=${!1} onInput=${d=>n(d.target.value)} /></label>
    ${o?r`<datalist id=${u}>${Cu(o,t).map(d=>r`<option value=${d} />`)}</datalist>`:null}
    ${s?r`<small class="hint" id=${`${u}h`}>${s}</small>`:null}</div>`}function Cu(e,t){let n=t.trim().toLowerCase();return e.filter(s=>s.toLowerCase().includes(
n)).slice(0,100)}function Ae({label:e,value:t,set:n,options:s}){return r`<label class="field"><span>${e}</span><select value=${t} onChange=${o=>n(o.target.value)}>
    ${s.map(o=>{let[a,i]=Array.isArray(o)?o:[o,o];return r`<option key=${a} value=${a}>${i}</option>`})}
  </select></label>`}function Kt({label:e,value:t,set:n}){return r`<label class="field row-field"><input type="checkbox" checked=${t} onChange=${s=>n(s.target.checked)} /> ${e}</label>`}
function dn({label:e,names:t,set:n,known:s,hint:o}){let[a,i]=y(""),l=()=>{let c=a.trim();c&&!t.includes(c)&&n([...t,c]),i("")};return r`<fieldset class="names"><legend>${e}</legend>
    ${t.length?r`<span class="tags">${t.map(c=>r`<span class="tag" key=${c}>${c}
      <button type="button" class="quiet" aria-label=${`Remove ${c}`} onClick=${()=>n(t.filter(u=>u!==c))}>✕</button></span>`)}</span>`:null}
    <div class="names-add" onKeyDown=${c=>{c.key==="Enter"&&(c.preventDefault(),l())}}>
      <${J} label=${`Add to ${e.toLowerCase()}`} value=${a} set=${i} list=${s.filter(c=>!t.includes(c))} hint=${o} />
      <button type="button" disabled=${!a.trim()} onClick=${l}>Add</button></div></fieldset>`}function Re({before:e,after:t}){let n=b(()=>Js(cn(e,t).lines),[e,t]);
return e===t?r`<p class="empty">Nothing changes.</p>`:r`<div class="diff" role="group" aria-label="Changes" tabindex="0">${n.map(s=>s.kind==="skip"?r`<div class="same">... ${s.
count} the same</div>`:r`<div class=${s.kind}>${{add:"+ ",del:"- ",same:"  "}[s.kind]}${s.text}</div>`)}</div>`}function fn(e,t){A(()=>(Ne.value=e?`${t} has cha\
nges that are not saved.`:"",()=>{Ne.value=""}),[e])}async function Ze(e,t,n){let s=x.peek(),o=null;try{o=await te(e,{dc:s})}catch{}if(s!==x.peek())return!1;let a=Array.
isArray(o)?o[0]?.ModifyIndex:o?.ModifyIndex;return a===void 0||a===t.ModifyIndex?!0:De({title:`${n} was changed meanwhile`,danger:!0,confirm:"Overwrite it",body:r`<p>Somebody has changed it since you began (index ${t.
ModifyIndex} then, ${a} now). Saving overwrites that.</p><${Re} before=${JSON.stringify(Array.isArray(o)?o[0]:o,null,2)} after=${JSON.stringify(t,null,2)} />`})}
function Zs({initial:e,what:t,save:n,close:s}){let o=b(()=>e,[]),a=b(()=>JSON.stringify(Be(o),null,2),[]),[i,l]=y(a),{data:c,problem:u}=b(()=>Mr(i),[i]);return fn(
i!==a,t),r`<form class="card" onSubmit=${async $=>{$.preventDefault(),c&&await n(Ms(c,o),a,JSON.stringify(c,null,2))&&(Ne.value="",s())}}>
    <label class="field wide-field"><span>${t} as JSON</span>
      <textarea class="code" rows="18" spellcheck=${!1} value=${i} aria-invalid=${u!==""} onInput=${$=>l($.target.value)}></textarea></label>
    <p class="hint" role="status">${u||(Ps(o)?`What is ${Ls} stays as it is unless you write something else.`:"Valid JSON.")}</p>
    <div class="buttons"><button type="button" onClick=${s}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${u!==""}>Review and save</button></div></form>`}function ea(){let[e,t]=y(void 0),n=O.value;return A(
()=>{let s=!1;return te("acl/token/self").then(o=>{s||t(o)},()=>{s||t(null)}),()=>{s=!0}},[n,D.value.dc]),e}function rt(e){let[t,n]=y([]);return A(()=>{let s=!1;
return te(e).then(o=>{s||n(o??[])},()=>{}),()=>{s=!0}},[e]),t}function Qs(e,t){return Ee.value!==!1?null:r`<${R} view=${e} title=${t}><${T}>Access control is off in this datacenter: everybody may do everything, and there are no tokens, policies, roles or methods.<//><//>`}
function Ve({view:e,links:t}){return t?.length?r`<span class="tags">${t.map(({ID:n,Name:s})=>r`<a class="tag" key=${n??s} href=${v(e,[n||s||""])}>${s||n}</a>`)}</span>`:
null}function je(e){return{services:(e.ServiceIdentities??[]).map(t=>t.ServiceName+(t.Datacenters?.length?`@${t.Datacenters.join(",")}`:"")),nodes:(e.NodeIdentities??
[]).map(t=>`${t.NodeName}@${t.Datacenter}`)}}function Au(e,t,n){return{ServiceIdentities:e.map(s=>{let[o="",a]=s.split("@");return a?{ServiceName:o,Datacenters:a.
split(",")}:{ServiceName:o}}),NodeIdentities:t.map(s=>({NodeName:s.split("@")[0]??"",Datacenter:s.split("@")[1]||n}))}}function Qn({at:e}){return e?e<Date.now()?
r`<span class="status s3"><i aria-hidden="true"></i>expired <${ze} at=${e} /></span>`:r`<${Iu} at=${e} />`:r`<span class="dim">never</span>`}function Iu({at:e}){
return r`<time dateTime=${new Date(e).toISOString()} title=${new Date(e).toLocaleString()}>in ${Le(Math.max(0,e-Ge.value))}</time>`}function eo({text:e,what:t}){
let[n,s]=y(!1);return r`<span class="secret"><code>${n?e:"••••••••"}</code>
    <button type="button" class="quiet" aria-pressed=${n} onClick=${()=>s(!n)}>${n?"Hide":`Show ${t}`}</button></span>`}function bi(){let e=Q(null);return{ref:e,
jump:n=>{let s=e.current;if(!s)return;let o=s.value.split(`
`),a=o.slice(0,n-1).reduce((i,l)=>i+l.length+1,0);s.focus(),s.setSelectionRange(a,a+(o[n-1]?.length??0)),s.scrollTop=Math.max(0,(n-4)*20)}}}function $n(e){let t=n=>(n??
[]).map(s=>s.Name||s.ID||"");return{policies:t(e.Policies),roles:t(e.Roles),...je(e)}}function pn(e,t){let n=s=>s.map(o=>({Name:o}));return{Policies:n(e.policies),
Roles:n(e.roles),...Au(e.services,e.nodes,t)}}function to({grants:e,set:t,ofRole:n=!1}){let s=c=>c.map(u=>u.Name??u.Node),o=s(rt("acl/policies")),a=s(rt("acl/ro\
les")),i=rt("internal/ui/services").map(c=>c.Name),l=s(rt("catalog/nodes"));return r`
    <${dn} label="Policies" names=${e.policies} set=${c=>t({...e,policies:c})} known=${o} />
    ${n?null:r`<${dn} label="Roles" names=${e.roles} set=${c=>t({...e,roles:c})} known=${a} />`}
    <${dn} label="Service identities" names=${e.services} set=${c=>t({...e,services:c})} known=${i}
      hint="A service's name; web@dc1,dc2 for these datacenters only" />
    <${dn} label="Node identities" names=${e.nodes} set=${c=>t({...e,nodes:c})} known=${l} hint="name@datacenter" />`}var K,it=E(()=>{z();Ho();ye();he();Oe();Y();
ue();Ye();we();pe();K={Resource:"acl",Access:"write"}});var ki={};Ce(ki,{default:()=>wi});function wi({rest:e}){return e?r`<${Ru} id=${e} />`:r`<${Ou} />`}function Ou(){let e=M("query").value,t=b(()=>e.data??[],[e.data]),
n=[{id:"name",title:"Query",width:"minmax(8rem, 1fr)",by:hn,cell:s=>r`<a href=${v("queries",[s.ID])}>${hn(s)}</a>${mn(s)?r` <span class="badge">template</span>`:
null}`},{id:"service",title:"Service",width:"minmax(7rem, 1fr)",by:s=>s.Service.Service,cell:s=>mn(s)?r`<code>${s.Service.Service}</code>`:r`<a href=${v("servic\
es",[s.Service.Service])}>${s.Service.Service}</a>`},{id:"tags",title:"Tags",width:"minmax(5rem, 1fr)",wide:!0,cell:s=>r`<${Ke} tags=${s.Service.Tags} max=${4} />`},
{id:"failover",title:"Failover",width:"9rem",by:ta,cell:ta,wide:!0},{id:"near",title:"Near",width:"7rem",by:s=>s.Service.Near??"",cell:s=>s.Service.Near,wide:!0}];
return r`<${R} view="queries" title="Prepared queries" ready=${e.data!==void 0||e.error!==null} live=${e}
      actions=${r`<${N} need=${Wt(null)} primary run=${()=>P(v("queries",["new"]))}>New query<//><${q} need=${Wt(null)} />`}>
    <${ne} label="prepared queries" rows=${t} rowKey=${s=>s.ID} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.ID,s.Service.Service],service:s=>s.Service.Service,tag:s=>s.Service.Tags??[]}}
      empty="There are no prepared queries, or this token may see none." /><//>`}function Ru({id:e}){let t=e==="new",n=M(t?"":`query/${encodeURIComponent(e)}`).
value,s=b(()=>V("edit"),[]),o=Array.isArray(n.data)?n.data[0]??null:null,a=n.data===null||n.error?.status===404,i=()=>{t?P(v("queries")):s.value=""},l=async(d,$,f)=>{
if(o&&!await Ze(`query/${o.ID}`,o,"The query"))return!1;let p=await j({method:o?"PUT":"POST",path:o?`query/${o.ID}`:"query",body:d,shown:Be(d),done:"The query i\
s saved.",question:{title:o?`Save ${hn(o)}`:`Make query ${d.Name??""}`,confirm:"Save",body:r`<${Re} before=${t?"":$} after=${f} />`}});return p&&t&&setTimeout(()=>P(
v("queries",[p.data.ID]))),p!==null},c=async()=>{if(!o)return;await j({method:"DELETE",path:`query/${o.ID}`,done:`${hn(o)} is deleted.`,question:{title:`Delete \
query ${hn(o)}`,danger:!0,confirm:"Delete",body:r`<p>Who asks for it, also by DNS, gets nothing any more.</p>`}})&&P(v("queries"))},u=o&&r`${s.value?null:r`<${N} need=${Wt(
o)} run=${()=>{s.value="1"}}>Edit<//>`}<${N} need=${Wt(o)} danger run=${()=>void c()}>Delete<//><${q} need=${Wt(o)} />`;return r`
    <${R} view="query" title=${t?"New query":o?hn(o):"Query"} crumbs=${[["Prepared queries",v("queries")]]} ready=${t||n.data!==void 0||n.error!==null} live=${a?
void 0:n} actions=${u}>
      ${a?r`<${T}>There is no such query, or this token may not see it.<//>`:null}
      ${(t||o&&s.value)&&ae(Wt(o))?r`<${Zs} what="The query" initial=${t?Eu:ke(o,["CreateIndex","ModifyIndex"])} save=${l} close=${i} />`:t?r`<${q} need=${Wt(null)} />`:
null}
      ${o?r`
        <${w} title="Definition"><${W} pairs=${[["ID",r`<code>${o.ID}</code> <${L} text=${o.ID} />`],["Template",mn(o)?r`${o.Template?.Type} <code>${o.Template?.
Regexp}</code>`:null],["Service",mn(o)?r`<code>${o.Service.Service}</code>`:r`<a href=${v("services",[o.Service.Service])}>${o.Service.Service}</a>`],["Tags",o.
Service.Tags?.length?r`<${Ke} tags=${o.Service.Tags} />`:null],["Only passing",o.Service.OnlyPassing?"yes":"no: also those that warn"],["Near",o.Service.Near],[
"Failover",ta(o)],["DNS TTL",o.DNS?.TTL],["Session",o.Session&&r`<a href=${v("sessions",[o.Session])}>${o.Session}</a>`]]} /><${fe} data=${Be(o)} /><//>
        <${Mu} query=${o} />`:null}
    <//>`}function Mu({query:e}){let t=mn(e),[n,s]=y(e.Name),[o,a]=y(""),[i,l]=y(null),c=rt("catalog/nodes").map(h=>h.Node),u=t?n:e.Name||e.ID,d={near:o||void 0},
$=h=>`query/${encodeURIComponent(u)}/${h}`,f=h=>{te($(h),{params:h==="execute"?d:{}}).then(k=>l({[h]:k}),k=>l({error:k.status===404?"No query answers to that na\
me.":k.message}))},{domain:p,port:m}=Us(Z("agent/self",6e5).value.data),g=u&&/^[\w.-]+$/.test(u)?`${u}.query.${x.value?`${x.value}.`:""}${p}`:"";return r`<${w} title="Try it">
    <form onSubmit=${h=>{h.preventDefault(),f("execute")}}>
      <div class="ask-line">
        ${t?r`<${J} label="Name that is asked for" value=${n} set=${s} placeholder=${e.Name} hint="The template answers to all names that begin with its own" />`:
null}
        <${J} label="Near" value=${o} set=${a} list=${["_agent",...c]} placeholder="as the query says" /></div>
      <div class="buttons left"><button type="submit" class="primary" disabled=${!u}>Execute</button><button type="button" disabled=${!u} onClick=${()=>f("expla\
in")}>Explain</button></div>
    </form>
    <div role="status">${i?.error?r`<p class="note bad">${i.error}</p>`:null}
      ${i?.explain?r`<p>What it becomes for <b>${u}</b>:</p><${L} text=${JSON.stringify(i.explain.Query??i.explain,null,2)} block />`:null}
      ${i?.execute?r`<${Lu} found=${i.execute} />`:null}</div>
    ${g&&m>0?r`<${L} text=${Ss(location.hostname||"127.0.0.1",m,g)} block />`:null}
    <${L} text=${ve("GET",de($("execute"),d))} block />
  <//>`}function Lu({found:e}){let t=n=>["critical","warning","passing"].find(s=>n.some(o=>o.Status===s))??"passing";return r`<p>${S(e.Nodes?.length??0,"instanc\
e")} of <b>${e.Service}</b> in <b>${e.Datacenter}</b>${e.Failovers?`, after ${S(e.Failovers,"failover")}`:""}.</p>
    ${e.Nodes?.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Instances found"><table class="plain"><thead><tr><th>Node</th><th>Address</th><th>Instance</th><th>Checks</th></tr></thead><tbody>
    ${e.Nodes.map(n=>r`<tr key=${`${n.Node.Node} ${n.Service.ID}`}><td><a href=${v("nodes",[n.Node.Node])}>${n.Node.Node}</a></td><td><code>${n.Service.Address||
n.Node.Address}:${n.Service.Port}</code></td>
      <td>${n.Service.ID}</td><td><${H} status=${t(n.Checks??[])} /></td></tr>`)}</tbody></table></div>`:null}<${fe} data=${e} />`}var Eu,Wt,mn,ta,hn,_i=E(()=>{
z();ye();Te();Y();Oe();he();Ye();we();pe();it();We();Eu={Name:"",Service:{Service:"",OnlyPassing:!0,Tags:[],Failover:{NearestN:0,Datacenters:[]}},DNS:{TTL:""}},
Wt=e=>({Resource:"query",Access:"write",Segment:e?.Name??""}),mn=e=>!!e.Template?.Type,ta=({Service:{Failover:e}})=>[e?.NearestN?`nearest ${e.NearestN}`:"",...e?.
Datacenters??[]].filter(Boolean).join(", "),hn=e=>e.Name||(mn(e)?"(all names)":Pe(e.ID))});var Ti={};Ce(Ti,{default:()=>Ni});function Ni({rest:e}){return e?r`<${qu} id=${e} />`:r`<${Uu} />`}function na({action:e}){return r`<${H} status=${e==="allow"?"\
passing":e==="deny"?"critical":"warning"} text=${{allow:"allowed",deny:"denied"}[e]??"by request"} />`}function Uu(){let e=M("connect/intentions").value,t=e.error?.
status===404,n=b(()=>e.data??[],[e.data]),s=a=>`${a.SourceName} to ${a.DestinationName}`,o=[{id:"source",title:"Source",width:"minmax(6rem, 1fr)",by:a=>a.SourceName,
cell:a=>r`<a href=${v("intentions",[a.ID])} title=${s(a)}>${a.SourceName==="*"?"* (every service)":a.SourceName}</a>`},{id:"action",title:"May",width:"6rem",by:a=>a.
Action,cell:a=>r`<${na} action=${a.Action} />`},{id:"destination",title:"Destination",width:"minmax(6rem, 1fr)",by:a=>a.DestinationName,cell:a=>Pu(a.DestinationName)},
{id:"precedence",title:"Precedence",width:"7rem",by:a=>-a.Precedence,cell:a=>a.Precedence,wide:!0},{id:"description",title:"Description",width:"minmax(8rem, 2fr\
)",by:a=>a.Description??"",cell:a=>a.Description,wide:!0}];return t?r`<${R} view="intentions" title="Intentions"><${T}>This agent has no intentions: it has no service mesh yet, so every service may connect to every other. They appear here as soon as it has.<//><//>`:
r`<${R} view="intentions" title="Intentions" ready=${e.data!==void 0||e.error!==null} live=${e}
      actions=${r`<${N} need=${xi} primary run=${()=>P(v("intentions",["new"]))}>New intention<//><${q} need=${xi} />`}>
    <${ju} />
    <${ne} label="intentions" rows=${n} rowKey=${a=>a.ID||s(a)} columns=${o} order="precedence" stamp=${a=>String(a.ModifyIndex)}
      fields=${{"":a=>[a.SourceName,a.DestinationName,a.Description??""],source:a=>a.SourceName,destination:a=>a.DestinationName,action:a=>a.Action}}
      quick=${[["action:allow","allowed"],["action:deny","denied"]]} empty="There are no intentions: the default policy of access control decides." /><//>`}function ju(){
let[e,t]=y(""),[n,s]=y(""),[o,a]=y(""),i=rt("internal/ui/services").map(c=>c.Name);return r`<form class="ask-line card" onSubmit=${c=>{c.preventDefault(),te("co\
nnect/intentions/check",{params:{source:e,destination:n}}).then(u=>a(u.Allowed?"allow":"deny"),u=>a(u.message))}}>
    <${J} label="May this service" value=${e} set=${c=>{t(c),a("")}} list=${i} />
    <${J} label="call this one" value=${n} set=${c=>{s(c),a("")}} list=${i} />
    <div class="ask-end"><button type="submit" disabled=${!e||!n}>Check</button> <span role="status" data-verdict>${/^(allow|deny)$/.test(o)?r`<${na} action=${o} />`:
o}</span></div></form>`}function qu({id:e}){let t=e==="new",n=M(t?"":`connect/intentions/${encodeURIComponent(e)}`).value,s=b(()=>V("edit"),[]),o=n.data??null,a=n.
data===null||n.error?.status===404,i=Si(o?.DestinationName??""),l=()=>{t?P(v("intentions")):s.value=""},c=o?`${o.SourceName} to ${o.DestinationName}`:"",u=async()=>{
await j({method:"DELETE",path:`connect/intentions/${encodeURIComponent(e)}`,done:`The intention ${c} is deleted.`,question:{title:`Delete the intention ${c}`,danger:!0,
confirm:"Delete",body:r`<p>Another intention that is about both, or else the default policy, decides then. Connections that are open stay.</p>`}})&&P(v("intenti\
ons"))},d=!o?.Permissions?.length,$=o&&r`${s.value||!d?null:r`<${N} need=${i} run=${()=>{s.value="1"}}>Edit<//>`}<${N} need=${i} danger run=${()=>void u()}>Delete<//><${q} need=${i} />`;
return r`
    <${R} view="intention" title=${t?"New intention":c||"Intention"} crumbs=${[["Intentions",v("intentions")]]} ready=${t||n.data!==void 0||n.error!==null} live=${a?
void 0:n} actions=${$}>
      ${a?r`<${T}>There is no such intention any more, or this agent has none at all.<//>`:null}
      ${(t||o&&s.value)&&ae(i)?r`<${Fu} intention=${o} close=${l} />`:t?r`<${q} need=${i} />`:null}
      ${o?r`<${w} title="Intention"><${W} pairs=${[["Source",o.SourceName==="*"?"every service":r`<a href=${v("services",[o.SourceName])}>${o.SourceName}</a>`],
["Destination",o.DestinationName==="*"?"every service":r`<a href=${v("services",[o.DestinationName])}>${o.DestinationName}</a>`],["May",r`<${na} action=${o.Action} />`],
["Description",o.Description],["Precedence",`${o.Precedence}: the highest that is about both decides`],["Meta",o.Meta&&Object.entries(o.Meta).map(([f,p])=>`${f}\
=${p}`).join(", ")],["Changed",Date.parse(o.UpdatedAt??"")>0?r`<${ze} at=${Date.parse(o.UpdatedAt??"")} />`:null]]} />${d?null:r`<p class="note">It decides by request. Such permissions are edited as a config entry.</p>`}<${fe} data=${o} /><//>`:
null}
    <//>`}function Fu({intention:e,close:t}){let n=b(()=>e,[]),[s,o]=y(n?.SourceName??""),[a,i]=y(n?.DestinationName??""),[l,c]=y(n?.Action||"allow"),[u,d]=y(n?.
Description??""),$=["*",...rt("internal/ui/services").map(g=>g.Name)],f=g=>`Source: ${g.SourceName}
Destination: ${g.DestinationName}
Action: ${g.Action}
Description: ${g.Description??""}`,p={SourceName:s,DestinationName:a,SourceType:"consul",Action:l,Description:u};return r`<form class="card" onSubmit=${async g=>{
g.preventDefault();let h=n?`connect/intentions/${n.ID}`:"connect/intentions";if(n&&!await Ze(h,n,"The intention"))return;await j({method:n?"PUT":"POST",path:h,body:n?
{...ke(n,["CreateIndex","ModifyIndex","CreatedAt","UpdatedAt","Precedence","Hash"]),...p}:p,done:"The intention is saved.",question:{title:`${s} ${l==="allow"?"\
may":"may not"} call ${a}`,confirm:"Save",body:r`<p>New connections are decided by it at once. Connections that are open stay.</p><${Re} before=${n?f(n):""} after=${f(
p)} />`}})&&t()}}>
    <${J} label="Source" value=${s} set=${o} list=${$} required hint="A service's name; * is every service" disabled=${n!==null} />
    <${J} label="Destination" value=${a} set=${i} list=${$} required disabled=${n!==null} />
    <${Ae} label="May it connect" value=${l} set=${c} options=${[["allow","allow"],["deny","deny"]]} />
    <${J} label="Description" value=${u} set=${d} />
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!s||!a||n!==null&&f(n)===f(p)}>Review and save</button></div></form>`}var Si,xi,Pu,Di=E(()=>{
z();ye();Te();Y();Oe();Ye();we();pe();it();We();Si=e=>({Resource:"intention",Access:"write",Segment:e}),xi=Si("");Pu=e=>e==="*"?r`<span class="badge" title="every service">*</span>`:
e});function ts(e){return e==="key"?["deny","read","list","write"]:["deny","read","write"]}function Wu(e){let t=[];for(let n of e.matchAll(Ku)){let[s,o,,a,i,l,c,u,d]=n,
$=n.index;o===void 0&&(a!==void 0?t.push({kind:"text",text:`${i}
`,at:$}):l!==void 0?t.push({kind:"text",text:Bu(l),at:$}):c!==void 0?t.push({kind:"word",text:c,at:$}):u!==void 0?t.push({kind:"number",text:u,at:$}):t.push({kind:d===
void 0?"bad":"mark",text:s,at:$}))}return t.push({kind:"end",text:"the end",at:e.length}),t}function Bu(e){try{return JSON.parse(`"${e}"`)}catch{return e}}function Vu(e){
let t=[0];for(let n=e.indexOf(`
`);n>=0;n=e.indexOf(`
`,n+1))t.push(n+1);return n=>{let[s,o]=[0,t.length-1];for(;s<o;){let a=Math.ceil((s+o)/2);(t[a]??0)<=n?s=a:o=a-1}return[s+1,n-(t[s]??0)+1]}}function vn(e,t){let n=[],
s=[],o=Vu(e),a=(u,d,$=!0)=>{let[f,p]=o(u);s.push({line:f,column:p,text:d,error:$})},i;try{let u=new oa(e);if(u.has("{")){i=u.value().entries;let d=u.peek();if(d.
kind!=="end")throw new qe(d.at,`${d.text} cannot stand after the closing brace.`)}else i=u.entries(!0)}catch(u){if(!(u instanceof qe))throw u;return a(u.at,u.message),
{rules:n,problems:s}}let l=new Map(i.map(u=>[(u.keys[0]?.text??"").toLowerCase(),u]));for(let u of i){let d=(u.keys[0]?.text??"").toLowerCase();if(lt.includes(d)&&
u.value.kind==="text"&&l.get(d)!==u){a(u.value.at,`${d} is said again below: that counts.`,!1);continue}for(let $ of Hu(u,a))n.push({...$,line:o($.line)[0],source:t})}
let c=new Map;for(let u of n){let d=`${u.resource}
${u.prefix}
${u.name}`,$=c.get(d);$?s.push({line:u.line,column:1,error:!1,text:`Line ${$.line} is about the same name: deny counts, else the one that grants more.`}):c.set(
d,u)}return{rules:n,problems:s}}function Hu({keys:e,value:t},n){let s=e[0],o=s.text.toLowerCase(),a=o.endsWith("_prefix"),i=a?o.slice(0,-7):o;if(lt.includes(o))
return e.length>1||t.kind!=="text"?(n(s.at,`${o} has no names: write ${o} = "read".`),[]):t.text===""?[]:aa(o,t,n)?[{resource:o,prefix:!1,name:"",level:t.text.toLowerCase(),
line:s.at}]:[];if(!es.includes(i)){let c=Ju(o);return n(s.at,`${s.text} is no resource: Consul ignores it.${c?` Is ${c} meant?`:""}`,!1),[]}if(e.length>2)return n(
s.at,`A rule has one name, this one has ${e.length-1}.`),[];let l=e[1];return l?Ei(i,a,l,t,n):t.kind==="object"||t.kind==="list"?Ii(i,a,s,t,n):(n(s.at,`${o} nee\
ds a name and a block: ${o} "name" { policy = "${t.text}" }.`),[])}function Ii(e,t,n,s,o){if(s.kind==="list")return s.items.flatMap(i=>Ii(e,t,n,i,o));let a=[];for(let{
keys:[i],value:l}of s.entries){let c=l.kind==="list"?l.items:[l];if(c.some(u=>u.kind!=="object"))return o(n.at,`${n.text} has no name: write ${n.text} "name" { \
policy = "..." }.`),[];for(let u of c)a.push(...Ei(e,t,i,u,o))}return a}function Ei(e,t,n,s,o){let a={};for(let{keys:[l],value:c}of s.entries){let u=(l?.text??"").
toLowerCase();u==="policy"||u==="intentions"&&e==="service"?a[u]=c:o(l?.at??n.at,u==="sentinel"?"Sentinel is of the enterprise edition: ignored.":`${u} is no fi\
eld of a rule: ignored.`,!1)}if(!a.policy)return o(n.at,`The rule for "${n.text}" says nothing: policy is missing.`),[];let i=aa(e,a.policy,o);return a.intentions&&
a.intentions.text!==""&&!aa("intentions",a.intentions,o)?[]:i?[{resource:e,prefix:t,name:n.text,level:a.policy.text.toLowerCase(),intentions:a.intentions?.text.
toLowerCase()||void 0,line:n.at}]:[]}function aa(e,t,n){let s=ts(e);if(t.kind==="text"&&s.includes(t.text.toLowerCase()))return!0;let o=t.text.toLowerCase()==="\
list"?" (list is for keys only)":"";return n(t.at,`"${t.text}" is no level${o}: ${s.slice(0,-1).join(", ")} or ${s.at(-1)}.`),!1}function Ju(e){let s=[...lt,...es,
...es.map(o=>`${o}_prefix`)].map(o=>[Gu(e,o),o]).sort(([o],[a])=>o-a)[0];return s&&s[0]<=2?s[1]:""}function Gu(e,t){let n=Array.from({length:t.length+1},(s,o)=>o);
for(let s=1;s<=e.length;s+=1){let o=[s];for(let a=1;a<=t.length;a+=1)o[a]=Math.min((n[a]??0)+1,(o[a-1]??0)+1,(n[a-1]??0)+(e[s-1]===t[a-1]?0:1));n=o}return n[t.length]??
0}function yn({resource:e,prefix:t,name:n,level:s,intentions:o}){if(lt.includes(e))return`${e} = "${s}"`;let a=o?` intentions = "${o}"`:"";return`${e}${t?"_pref\
ix":""} ${JSON.stringify(n)} { policy = "${s}"${a} }`}function Oi(e){let t=`service identity ${e}`;return[{resource:"service",prefix:!1,name:e,level:"write",line:0,
source:t},{resource:"service",prefix:!1,name:`${e}-sidecar-proxy`,level:"write",line:0,source:t},{resource:"service",prefix:!0,name:"",level:"read",line:0,source:t},
{resource:"node",prefix:!0,name:"",level:"read",line:0,source:t}]}function Ri(e){let t=`node identity ${e}`;return[{resource:"node",prefix:!1,name:e,level:"writ\
e",line:0,source:t},{resource:"service",prefix:!0,name:"",level:"read",line:0,source:t}]}function sa(e,t){return t!=="intention"?e.level:e.intentions??(e.level===
"deny"?"deny":"read")}function Mi(e,t,n,s){let o=t==="intention"?"service":t,a=e.filter($=>$.resource===o&&(lt.includes(o)||($.prefix?n.startsWith($.name):$.name===
n))),i=$=>$.prefix?$.name.length:1/0;a.sort(($,f)=>{let[p,m]=[i($),i(f)];return p===m?Ci.indexOf(sa(f,t))-Ci.indexOf(sa($,t)):m-p});let[l=null,...c]=a;if(!l)return{
rule:l,allow:null,others:c};let u=sa(l,t);return{rule:l,allow:{read:["read","list","write"],list:["list","write"],write:["write"]}[s]?.includes(u)??!1,others:c}}
var lt,es,Ai,Ci,Ku,qe,oa,ra=E(()=>{lt=["acl","keyring","operator","mesh","peering"],es=["agent","event","key","node","query","service","session"],Ai=["acl","age\
nt","event","intention","key","keyring","node","operator","query","service","session"],Ci=["read","list","write","deny"];Ku=/(\s+|#[^\n]*|\/\/[^\n]*|\/\*[^]*?\*\/)|<<(-?)(\w+)\n([^]*?)\n[ \t]*\3(?=\n|$)|"((?:[^"\\\n]|\\.)*)"|([A-Za-z_][\w.-]*)|(-?\d[\w.+-]*)|([{}[\]=:,])|([^])/gy;
qe=class extends Error{constructor(t,n){super(n),this.at=t}},oa=class{constructor(t){this.tokens=Wu(t),this.next=0}peek(){return this.tokens[this.next]}take(){let t=this.
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
.`):t.kind==="bad"&&t.text==='"'?new qe(t.at,"This text has no closing quote."):new qe(t.at,`${t.text} cannot stand here: a value is expected.`)}}});var Fi={};Ce(Fi,{default:()=>Ui});function Ui({rest:e}){let t=Qs("tokens","Tokens");return t||(e==="new"?r`<${nd} />`:e?r`<${Yu} id=${e} />`:r`<${zu} />`)}function ji({
token:{CreateTime:e}}){let t=Date.parse(e);return t>0?r`<${ze} at=${t} />`:r`<span class="dim">not known</span>`}function zu(){let e=M("acl/tokens").value,t=ea(),
[n,s]=y(new Set),o=b(()=>e.data??[],[e.data]),a=l=>l.Description||Pe(l.AccessorID),i=[{id:"description",title:"Token",width:"minmax(9rem, 2fr)",by:a,cell:l=>r`<a href=${v(
"tokens",[l.AccessorID])} title=${a(l)}>${a(l)}</a>${l.AccessorID===t?.AccessorID?r` <span class="badge">yours</span>`:null}`},{id:"accessor",title:"Accessor",width:"\
6rem",by:l=>l.AccessorID,cell:l=>r`<code title=${l.AccessorID}>${Pe(l.AccessorID)}</code>`,wide:!0},{id:"grants",title:"Policies and roles",width:"minmax(8rem, \
2fr)",by:l=>Li(l).join(" "),wide:!0,cell:l=>r`<${Ve} view="policies" links=${l.Policies} /> <${Ve} view="roles" links=${l.Roles} />${je(l).services.map(c=>r` <span class="badge" title="service identity">${c}</span>`)}${je(
l).nodes.map(c=>r` <span class="badge" title="node identity">${c}</span>`)}`},{id:"marks",title:"Kind",width:"6rem",by:l=>ia(l).join(" "),wide:!0,cell:l=>ia(l).
map(c=>r`<span class="badge">${c}</span> `)},{id:"created",title:"Created",width:"8rem",by:l=>-Date.parse(l.CreateTime),cell:l=>r`<${ji} token=${l} />`,wide:!0},
{id:"expires",title:"Expires",width:"8rem",by:l=>ht(l)||1/0,cell:l=>r`<${Qn} at=${ht(l)} />`}];return r`
    <${R} view="tokens" title="Tokens" ready=${e.data!==void 0||e.error!==null} live=${e}
        actions=${r`${n.size?r`<${N} need=${K} danger run=${()=>void Xu(o.filter(l=>n.has(l.AccessorID)),t?.AccessorID).then(l=>{l&&s(new Set)})}>Delete ${n.size}<//>`:
null}<${N} need=${K} primary run=${()=>P(v("tokens",["new"]))}>New token<//><${q} need=${K} />`}>
      <${ne} label="tokens" rows=${o} rowKey=${l=>l.AccessorID} columns=${i} order="description"
        stamp=${l=>String(l.ModifyIndex)} picked=${n} onPick=${ae(K)?s:void 0}
        fields=${{"":l=>[l.Description,l.AccessorID,...Li(l)],policy:l=>(l.Policies??[]).map(c=>c.Name??""),role:l=>(l.Roles??[]).map(c=>c.Name??""),is:ia,method:l=>l.
AuthMethod??""}}
        quick=${[["is:local","local"],["is:login","from a login"],["is:legacy","legacy"],["is:expired","expired"]]}
        empty="There are no tokens, or this token may see none." />
    <//>`}async function Xu(e,t){let n=e.filter(i=>i.AccessorID!==t&&i.AccessorID!==Pi);if(!n.length)return U("Your own token and the anonymous one are not dele\
ted here.",!0),!1;if(!await De({title:`Delete ${S(n.length,"token")}`,danger:!0,confirm:"Delete",typed:String(n.length),body:r`<p>Whoever uses one of them may do nothing more with it.${n.
length<e.length?" Your own token and the anonymous one stay.":""}</p><ul>${n.slice(0,20).map(i=>r`<li>${i.Description||i.AccessorID}</li>`)}${n.length>20?r`<li>and ${n.
length-20} more</li>`:null}</ul>`}))return!1;let o=x.peek(),a=0;for(let i of n)try{await ee("DELETE",`acl/token/${i.AccessorID}`,{dc:o}),a+=1}catch(l){U(`${i.Description||
i.AccessorID}: ${l instanceof Error?l.message:l}`,!0)}return U(`${S(a,"token")} deleted.`),!0}function Yu({id:e}){let t=M(`acl/token/${encodeURIComponent(e)}`).
value,n=ea(),s=b(()=>V("edit"),[]),o=t.data??null,a=o!==null&&o.AccessorID===n?.AccessorID,i=o?o.Description||`Token ${Pe(o.AccessorID)}`:`Token ${Pe(e)}`,l=o?.
SecretID&&/^[^<]/.test(o.SecretID)?o.SecretID:"",c=o&&r`
    ${l&&l!==O.value?r`<button type="button" onClick=${()=>Qu(l,i)}>Use it</button>`:null}
    ${s.value||o.Legacy?null:r`<${N} need=${K} run=${()=>{s.value="1"}}>Edit<//>`}
    ${o.Legacy?null:r`<${N} need=${K} run=${()=>void ed(o,i)}>Clone<//>`}
    <${N} need=${K} danger run=${()=>void td(o,i,a)}>Delete<//><${q} need=${K} />`;return r`
    <${R} view="token" title=${i} crumbs=${[["Tokens",v("tokens")]]} ready=${t.data!==void 0||t.error!==null} live=${t} actions=${c}>
      ${t.data===null?r`<${T}>There is no such token any more.<//>`:null}
      ${o&&s.value&&ae(K)?r`<${qi} token=${o} close=${()=>{s.value=""}} />`:null}
      ${o?r`
        <${w} title="Token">
          <${W} pairs=${[["Accessor",r`<code>${o.AccessorID}</code> <${L} text=${o.AccessorID} />${a?r` <span class="badge">this is yours</span>`:null}`],["Secr\
et",l?r`<${eo} text=${l} what="the secret" /><${Zu} text=${l} />`:r`<span class="dim">shown to those who may write access control</span>`],["Policies",o.Policies&&
r`<${Ve} view="policies" links=${o.Policies} />`],["Roles",o.Roles&&r`<${Ve} view="roles" links=${o.Roles} />`],["Service identities",je(o).services.join(", ")],
["Node identities",je(o).nodes.join(", ")],["Scope",o.Local?`local: ${D.value.dc} only`:"global: all datacenters"],["From",o.AuthMethod&&r`a login by <a href=${v(
"methods",[o.AuthMethod])}>${o.AuthMethod}</a>`],["Created",r`<${ji} token=${o} />`],["Expires",r`<${Qn} at=${ht(o)} />`],["Index",o.ModifyIndex]]} />
          ${o.Legacy?r`<p class="note warn">A legacy token of a release before 1.4. It can be upgraded by <code>consul acl token update -upgrade-legacy</code>.</p>`:
null}
          <${fe} data=${ke(o,["SecretID"])} />
        <//>
        <${od} token=${o} secret=${l||(a?O.value:"")} />`:null}
    <//>`}function Zu({text:e}){let[t,n]=y(!1);return r`<button type="button" class="quiet" onClick=${async()=>{await jn(e),n(!0),setTimeout(()=>n(!1),1500)}}>${t?
"copied":"Copy the secret"}</button>`}async function Qu(e,t){await De({title:"Use this token",confirm:"Use it",body:r`<p>From now on this page acts with <b>${t}</b>. ${O.
value?"The token in use now is forgotten here.":""}</p>`})&&(O.value=e,U(`${t} is in use.`))}async function ed(e,t){let n=await j({method:"PUT",path:`acl/token/${e.
AccessorID}/clone`,body:{Description:`Clone of ${e.Description||e.AccessorID}`},done:"The token is cloned.",question:{title:`Clone ${t}`,confirm:"Clone",body:r`<p>A new token with the same policies, roles and identities, and a secret of its own.</p>`}});
n&&P(v("tokens",[n.data.AccessorID],{edit:"1"}))}async function td(e,t,n){if(n){await De({title:"This is your own token",confirm:"I see",body:r`<p>Deleting it would end what you are doing here. Use another token first, or log out if it came from a login.</p>`});
return}await j({method:"DELETE",path:`acl/token/${e.AccessorID}`,done:`${t} is deleted.`,question:{title:`Delete ${t}`,danger:!0,confirm:"Delete",body:r`<p>Whoever uses it may do nothing more with it. ${e.
AccessorID===Pi?"It is the anonymous token: what comes without a token has its rights.":""}</p>`}})&&P(v("tokens"))}function nd(){return r`<${R} view="token" title="New token" crumbs=${[
["Tokens",v("tokens")]]}>
    ${ae(K)?r`<${qi} token=${null} close=${()=>P(v("tokens"))} />`:r`<${T}>No token can be made here. <${q} need=${K} /><//>`}<//>`}function qi({token:e,close:t}){
let n=b(()=>e,[]),[s,o]=y(n?.Description??""),[a,i]=y(()=>$n(n??{})),[l,c]=y(!1),[u,d]=y(""),$=D.value.dc,f=u!==""&&!(Cs(u)>0),p=JSON.stringify({Description:n?.
Description??"",...pn($n(n??{}),$)},null,2),m=JSON.stringify({Description:s,...pn(a,$)},null,2);return fn(p!==m,"The token"),r`<form class="card" onSubmit=${async h=>{
h.preventDefault();let k={Description:s,...pn(a,$)},_=n?`acl/token/${n.AccessorID}`:"acl/token";if(n&&!await Ze(_,n,"The token"))return;let F=n?{...ke(n,["Secre\
tID","Hash","CreateIndex","ModifyIndex","CreateTime"]),...k}:{...k,Local:l,...u?{ExpirationTTL:u}:{}},xe=await j({method:"PUT",path:_,body:F,done:n?"The token i\
s saved.":"The token is made. Its secret is shown on request.",question:{title:n?"Save the token":"Make a token",confirm:n?"Save":"Create",body:r`<${Re} before=${n?
p:""} after=${m} />`}});xe&&(Ne.value="",n?t():P(v("tokens",[xe.data.AccessorID])))}}>
    <${J} label="Description" value=${s} set=${o} />
    <${to} grants=${a} set=${i} />
    ${n?null:r`<${Kt} label=${`Local: of ${$} only`} value=${l} set=${c} />
      <${J} label="Expires after" value=${u} set=${d} placeholder="never" hint=${f?"This is no duration like 8h or 30m.":"Like 8h or 30m; it cannot be changed l\
ater"} />`}
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${f||n!==null&&p===m}>Review and ${n?"save":"create"}</button></div></form>`}async function sd(e){
let t=[],n=[],s=new Map,o=a=>{for(let i of a.ServiceIdentities??[])t.push(...Oi(i.ServiceName));for(let i of a.NodeIdentities??[])t.push(...Ri(i.NodeName))};for(let a of e.
Policies??[])s.set(a.ID??"",a.Name??"");o(e);for(let a of e.Roles??[])try{let i=await te(`acl/role/${a.ID}`);o(i);for(let l of i.Policies??[])s.set(l.ID,`${l.Name}\
 of role ${i.Name}`)}catch{n.push(`role ${a.Name}`)}return await Promise.all([...s].map(async([a,i])=>{try{t.push(...vn((await te(`acl/policy/${a}`)).Rules??"",
i).rules)}catch{n.push(`policy ${i}`)}})),e.Rules&&t.push(...vn(e.Rules,"the token itself").rules.map(a=>({...a,prefix:!0}))),{rules:t,missing:n}}function od({token:e,
secret:t}){let[n,s]=y(null),o=b(()=>V("resource","key"),[]),a=b(()=>V("name"),[]),i=b(()=>V("access","read"),[]),[l,c]=y(null);A(()=>{sd(e).then(s)},[e]);let u=`${o.
value}
${a.value}
${i.value}`,d=o.value==="key"?ts("key").slice(1):["read","write"],$=!["acl","keyring","operator"].includes(o.value);A(()=>{let h=!1;c(null);let k=setTimeout(async()=>{
let _=await ad(e,t,{Resource:o.value,Segment:$?a.value:"",Access:i.value});h||c(_)},250);return()=>{h=!0,clearTimeout(k)}},[u,t,e]);let{rule:f,others:p}=Mi(n?.rules??
[],o.value,a.value,i.value),m=(n?.rules??[]).filter(h=>h!==f&&!p.includes(h)),g=(h,k)=>r`<tr key=${`${h.source} ${h.line} ${yn(h)}`}><td><code>${yn(h)}</code></td><td>${h.
source}</td><td>${k}</td></tr>`;return r`<${w} title="What may this token do">
    <div class="ask-line">
      <${Ae} label="Resource" value=${o.value} set=${h=>{o.value=h,h!=="key"&&i.value==="list"&&(i.value="read")}} options=${Ai} />
      ${$?r`<${J} label=${o.value==="key"?"Key":"Name"} value=${a.value} set=${h=>{a.value=h}} />`:null}
      <${Ae} label="Access" value=${i.value} set=${h=>{i.value=h}} options=${d} />
    </div>
    <p role="status" data-may>${l===null?r`<span class="dim">Asking</span>`:l.error?r`<span class="dim">${l.error}</span>`:r`
      <${H} status=${l.allow?"passing":"critical"} text=${l.allow?"allowed":"denied"} />
      ${l.rule?r` by <code>${l.rule}</code>${l.policy?` of ${l.policy}`:""}`:f?r` by <code>${yn(f)}</code> of ${f.source}`:" by the default policy: no rule is a\
bout it"}
      ${l.needed?r`. It would need <code>${l.needed}</code>`:null}`}</p>
    ${n?.missing.length?r`<p class="note warn">Not readable with your token: ${n.missing.join(", ")}. Their rules are missing here.</p>`:null}
    ${n?.rules.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Rules"><table class="plain"><thead><tr><th>Rule</th><th>From</th><th>Effect</th></tr></thead><tbody>
      ${f?g(f,"decides"):null}${p.map(h=>g(h,"also about it"))}${m.slice(0,200).map(h=>g(h,""))}</tbody></table></div>
      ${m.length>200?r`<p class="hint">and ${m.length-200} more</p>`:null}`:n?r`<${T}>It has no rules: the default policy decides everything.<//>`:null}
  <//>`}async function ad(e,t,n){if(_e)try{let s=await te("internal/acl/explain",{params:{resource:n.Resource,segment:n.Segment,access:n.Access,accessor:e.AccessorID}});
return{allow:s.Allow,rule:s.Default?"":s.Rule,policy:s.Policy,needed:s.Needed}}catch{}if(!t)return{error:"The agent can be asked with the token's secret only, a\
nd your token may not see that. The rules below are what can be known."};try{let{data:s}=await ee("POST","internal/acl/authorize",{secret:t,body:[n]});return{allow:s[0].
Allow===!0}}catch(s){return{error:s instanceof Error?s.message:String(s)}}}var Pi,Li,ia,Ki=E(()=>{z();ye();Te();Y();Oe();ue();he();Ye();ra();we();pe();it();We();
Pi="00000000-0000-0000-0000-000000000002";Li=e=>[...e.Policies??[],...e.Roles??[]].map(t=>t.Name||t.ID||""),ia=e=>[e.Local?"local":"",e.Legacy?"legacy":"",e.AuthMethod?
"login":"",ht(e)&&ht(e)<Date.now()?"expired":""].filter(Boolean)});function Wi({name:e}){let t=b(()=>V("new"),[]);return e||t.value?r`<${ld} name=${e} />`:r`<${id} />`}function id(){let e=M("acl/auth-methods").value,t=b(()=>e.data??
[],[e.data]),n=[{id:"name",title:"Method",width:"minmax(8rem, 1fr)",by:s=>s.Name,cell:s=>r`<a href=${v("methods",[s.Name])}>${s.Name}</a>`},{id:"type",title:"Ty\
pe",width:"7rem",by:s=>s.Type,cell:s=>s.Type},{id:"display",title:"Shown as",width:"minmax(8rem, 1fr)",by:s=>s.DisplayName??"",cell:s=>s.DisplayName,wide:!0},{id:"\
description",title:"Description",width:"minmax(8rem, 2fr)",by:s=>s.Description,cell:s=>s.Description,wide:!0},{id:"ttl",title:"Tokens last",width:"7rem",cell:s=>s.
MaxTokenTTL&&s.MaxTokenTTL!=="0s"?s.MaxTokenTTL:"for ever",wide:!0}];return r`<${R} view="methods" title="Auth methods" ready=${e.data!==void 0||e.error!==null} live=${e}
      actions=${r`<${N} need=${K} primary run=${()=>P(v("methods","",{new:"1"}))}>New method<//><${q} need=${K} />`}>
    <${ne} label="auth methods" rows=${t} rowKey=${s=>s.Name} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.DisplayName??"",s.Description],type:s=>s.Type}}
      empty="There are no auth methods: people and machines come with tokens." /><//>`}function ld({name:e}){let t=e==="",n=M(t?"":`acl/auth-method/${encodeURIComponent(
e)}`).value,s=b(()=>V("edit"),[]),o=n.data??null,a=()=>{t?P(v("methods")):s.value=""},i=d=>ke(d,["CreateIndex","ModifyIndex"]),l=async(d,$,f)=>{let p=o?`acl/aut\
h-method/${encodeURIComponent(o.Name)}`:"acl/auth-method";if(o&&!await Ze(p,o,"The method"))return!1;let m=await j({method:"PUT",path:p,body:d,shown:Be(d),done:`\
Auth method ${d.Name} is saved.`,question:{title:`Save auth method ${d.Name}`,confirm:"Save",body:r`<${Re} before=${t?"":$} after=${f} />`}});return m&&t&&setTimeout(
()=>P(v("methods",[d.Name]))),m!==null},c=async()=>{await j({method:"DELETE",path:`acl/auth-method/${encodeURIComponent(e)}`,done:`Auth method ${e} is deleted.`,
question:{title:`Delete auth method ${e}`,danger:!0,confirm:"Delete",typed:e,body:r`<p>Its binding rules are deleted too, and so are <b>all tokens that came from logins by it</b>.</p>`}})&&
P(v("methods"))},u=o&&r`${s.value?null:r`<${N} need=${K} run=${()=>{s.value="1"}}>Edit<//>`}<${N} need=${K} danger run=${()=>void c()}>Delete<//><${q} need=${K} />`;
return r`
    <${R} view="method" title=${t?"New auth method":e} crumbs=${[["Auth methods",v("methods")]]} ready=${t||n.data!==void 0||n.error!==null} live=${n} actions=${u}>
      ${n.data===null?r`<${T}>There is no such auth method any more.<//>`:null}
      ${(t||o&&s.value)&&ae(K)?r`<${Zs} what="The auth method" initial=${t?rd:i(o)} save=${l} close=${a} />`:t?r`<${q} need=${K} />`:null}
      ${o?r`
        <${w} title="Method"><${W} pairs=${[["Type",o.Type],["Shown as",o.DisplayName],["Description",o.Description],["Tokens last",o.MaxTokenTTL&&o.MaxTokenTTL!==
"0s"?o.MaxTokenTTL:"for ever"],["Tokens are",o.TokenLocality==="global"?"global":"local"]]} />
        <h3>Configuration</h3><${L} text=${JSON.stringify(Be(o.Config??{}),null,2)} block />
        ${Ps(o.Config)?r`<p class="hint">Secrets are covered.</p>`:null}<//>
        <${cd} method=${o} />
        <${fe} data=${Be(o)} />`:null}
    <//>`}function cd({method:e}){let t=M(`acl/binding-rules?authmethod=${encodeURIComponent(e.Name)}`).value,[n,s]=y(!1),o=t.data??[],a=i=>void j({method:"DELE\
TE",path:`acl/binding-rule/${i.ID}`,done:"The binding rule is deleted.",question:{title:"Delete a binding rule",danger:!0,confirm:"Delete",body:r`<p>Logins to which <code>${i.
Selector||"anything"}</code> applies no longer get ${i.BindType} <b>${i.BindName}</b>. Tokens that were made keep it until they expire.</p>`}});return r`<${w} title="Binding rules" actions=${n?
null:r`<${N} need=${K} run=${()=>s(!0)}>New binding rule<//>`}>
    ${n&&ae(K)?r`<${ud} method=${e.Name} close=${()=>s(!1)} />`:null}
    ${o.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Binding rules"><table class="plain"><thead><tr><th>When</th><th>Gives</th><th>Description</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
      ${o.map(i=>r`<tr key=${i.ID}><td><code>${i.Selector||"always"}</code></td><td>${i.BindType} <b>${i.BindName}</b></td><td>${i.Description}</td><td><${N} need=${K} danger run=${()=>a(
i)}>Delete<//></td></tr>`)}</tbody></table></div>`:t.data!==void 0?r`<${T}>There are none: a login by this method gives nothing, and is refused.<//>`:null}<//>`}
function ud({method:e,close:t}){let[n,s]=y("service"),[o,a]=y(""),[i,l]=y(""),[c,u]=y("");return r`<form onSubmit=${async $=>{$.preventDefault(),await j({method:"\
PUT",path:"acl/binding-rule",body:{AuthMethod:e,BindType:n,BindName:o,Selector:i,Description:c},done:"The binding rule is made.",question:{title:"Make a binding\
 rule",confirm:"Create",body:r`<p>A login by <b>${e}</b> to which <code>${i||"anything"}</code> applies gets ${n} <b>${o}</b>.</p>`}})&&t()}}>
    <${Ae} label="Gives" value=${n} set=${s} options=${[["service","a service identity"],["node","a node identity"],["role","a role"]]} />
    <${J} label="Its name" value=${o} set=${a} required hint="May hold variables like \${value.team}" />
    <${J} label="When (selector)" value=${i} set=${l} placeholder="always" hint='Like value.team == "dev"' />
    <${J} label="Description" value=${c} set=${u} />
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button><button type="submit" data-change class="primary" disabled=${!o}>Review and create</button></div></form>`}
var rd,Bi=E(()=>{z();Te();Y();Oe();Ye();we();pe();it();We();rd={Name:"",Type:"jwt",DisplayName:"",Description:"",MaxTokenTTL:"8h",Config:{OIDCDiscoveryURL:"http\
s://",BoundAudiences:[],ClaimMappings:{}}}});var no={};Ce(no,{default:()=>Ji});function Ji({id:e,rest:t}){let n=Qs(e,{policies:"Policies",roles:"Roles"}[e]??"Auth methods");return n||(e==="methods"?r`<${Wi} name=${t} />`:
e==="roles"?t?r`<${vd} id=${t} />`:r`<${md} />`:t?r`<${fd} id=${t} />`:r`<${dd} />`)}function Gi({view:e,word:t}){return r`<${N} need=${K} primary run=${()=>P(v(
e,["new"]))}>New ${t}<//><${q} need=${K} />`}function dd(){let e=M("acl/policies").value,t=b(()=>e.data??[],[e.data]),n=[{id:"name",title:"Policy",width:"minmax\
(9rem, 1fr)",by:s=>s.Name,cell:s=>r`<a href=${v("policies",[s.ID])}>${s.Name}</a>`},{id:"description",title:"Description",width:"minmax(9rem, 2fr)",by:s=>s.Description,
cell:s=>s.Description,wide:!0},{id:"dcs",title:"Datacenters",width:"10rem",by:s=>(s.Datacenters??[]).join(" "),cell:s=>s.Datacenters?.length?r`<${Ke} tags=${s.Datacenters} max=${3} />`:
r`<span class="dim">all</span>`}];return r`<${R} view="policies" title="Policies" ready=${e.data!==void 0||e.error!==null} live=${e} actions=${r`<${Gi} view="policies" word="policy" />`}>
    <${ne} label="policies" rows=${t} rowKey=${s=>s.ID} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.Description],dc:s=>s.Datacenters??[]}}
      empty="There are no policies, or this token may see none." /><//>`}function zi({kind:e,id:t}){let n=M("acl/tokens").value,s=M(e==="Policies"?"acl/roles":"").
value,o=c=>(c[e]??[]).some(u=>u.ID===t),a=(n.data??[]).filter(o),i=(s.data??[]).filter(o),l=n.data!==void 0;return r`<${w} title="Used by">
    ${i.length?r`<h3>${S(i.length,"role")}</h3><${Ve} view="roles" links=${i} />`:null}
    ${a.length?r`<h3>${S(a.length,"token")}</h3><span class="tags">${a.slice(0,100).map(c=>r`
      <a class="tag" key=${c.AccessorID} href=${v("tokens",[c.AccessorID])}>${c.Description||c.AccessorID}</a>`)}</span>${a.length>100?r` <span class="hint">and ${a.
length-100} more</span>`:null}`:null}
    ${l&&!a.length&&!i.length?r`<${T}>${e==="Policies"?"No token or role has it.":"No token has it."}<//>`:null}<//>`}function fd({id:e}){let t=e==="new",n=M(t?
"":`acl/policy/${encodeURIComponent(e)}`).value,s=b(()=>V("edit"),[]),o=n.data??null,a=o?.ID===Hi,i=o&&r`
    ${s.value?null:r`<${N} need=${K} run=${()=>{s.value="1"}}>Edit<//>`}
    ${a?null:r`<${N} need=${K} danger run=${()=>void $d(o)}>Delete<//>`}<${q} need=${K} />`,l=()=>{t?P(v("policies")):s.value=""},{rules:c,problems:u}=b(()=>vn(
o?.Rules??""),[o?.Rules]);return r`
    <${R} view="policy" title=${t?"New policy":o?.Name??"Policy"} crumbs=${[["Policies",v("policies")]]} ready=${t||n.data!==void 0||n.error!==null} live=${n} actions=${i}>
      ${n.data===null?r`<${T}>There is no such policy any more.<//>`:null}
      ${(t||o&&s.value)&&ae(K)?r`<${pd} policy=${o} close=${l} />`:t?r`<${q} need=${K} />`:null}
      ${o?r`
        <${w} title="Policy">
          <${W} pairs=${[["ID",r`<code>${o.ID}</code> <${L} text=${o.ID} />`],["Description",o.Description],["Datacenters",o.Datacenters?.length?o.Datacenters.join(
", "):"all"],["Index",o.ModifyIndex]]} />
        <//>
        ${s.value?null:r`<${w} title="Rules">
          ${o.Rules?r`<${L} text=${o.Rules} block />`:r`<${T}>It has no rules.<//>`}
          <${Xi} problems=${u} />
          ${c.length?r`<details><summary>${S(c.length,"rule")} one by one</summary><table class="plain"><thead><tr><th>Resource</th><th>Name</th><th>Level</th></tr></thead><tbody>
            ${c.map(d=>r`<tr><td>${d.resource}</td><td>${lt.includes(d.resource)?"":r`${d.prefix?"all that begin with ":""}<code>${JSON.stringify(d.name)}</code>`}</td><td>${d.
level}${d.intentions?`, intentions ${d.intentions}`:""}</td></tr>`)}</tbody></table></details>`:null}
        <//>`}
        <${zi} kind="Policies" id=${o.ID} />
        <${fe} data=${o} />`:null}
    <//>`}async function $d(e){await j({method:"DELETE",path:`acl/policy/${e.ID}`,done:`Policy ${e.Name} is deleted.`,question:{title:`Delete policy ${e.Name}`,
danger:!0,confirm:"Delete",typed:e.Name,body:r`<p>Tokens and roles that have it lose what it gives, at once.</p>`}})&&P(v("policies"))}function Xi({problems:e,jump:t}){
return r`<ul class="problems" aria-label="Remarks on the rules">${e.map(n=>r`<li class=${n.error?"s3":"s2"}>
    ${t?r`<button type="button" class="quiet" onClick=${()=>t(n.line)}>line ${n.line}</button>`:`line ${n.line}: `}${n.error?"":"Note: "}${n.text}</li>`)}</ul>`}
function pd({policy:e,close:t}){let n=b(()=>e,[]),[s,o]=y(n?.Name??""),[a,i]=y(n?.Description??""),[l,c]=y(n?.Datacenters??[]),[u,d]=y(n?.Rules??""),{problems:$}=b(
()=>vn(u),[u]),{ref:f,jump:p}=bi(),m=n?.ID===Hi,g=Vi(n?.Name??"",n?.Description??"",n?.Datacenters??[],n?.Rules??""),h=Vi(s,a,l,u);fn(g!==h,"The policy");let k=s!==
""&&!/^[A-Za-z0-9\-_]{1,128}$/.test(s);return r`<form class="card" onSubmit=${async F=>{F.preventDefault();let xe=n?`acl/policy/${n.ID}`:"acl/policy";if(n&&!await Ze(
xe,n,"The policy"))return;let ge=await j({method:"PUT",path:xe,body:{...n?{ID:n.ID}:{},Name:s,Description:a,Rules:u,Datacenters:l},done:`Policy ${s} is saved.`,
question:{title:n?`Save policy ${s}`:`Make policy ${s}`,confirm:n?"Save":"Create",body:r`${$.some(He=>He.error)?r`<p class="note warn">This page thinks the agent will refuse these rules.</p>`:
null}<${Re} before=${n?g:""} after=${h} />`}});ge&&(Ne.value="",n?t():P(v("policies",[ge.data.ID])))}}>
    <${J} label="Name" value=${s} set=${o} required disabled=${m} hint=${k?"Letters, digits, dashes and underscores only, at most 128.":void 0} />
    <${J} label="Description" value=${a} set=${i} disabled=${m} />
    <${dn} label="Datacenters" names=${l} set=${c} known=${[D.value.dc]} hint="None: all" />
    <label class="field wide-field"><span>Rules (HCL or JSON)</span>
      <textarea class="code" rows="14" spellcheck=${!1} ref=${f} value=${u} disabled=${m} aria-invalid=${$.some(F=>F.error)} onInput=${F=>d(F.target.value)}></textarea></label>
    <div role="status">${$.length?r`<${Xi} problems=${$} jump=${p} />`:r`<p class="hint">${u.trim()?"Nothing is wrong with these rules.":"No rules yet."}</p>`}</div>
    ${m?null:r`<${hd} add=${F=>d(`${u}${u&&!u.endsWith(`
`)?`
`:""}${F}
`)} />`}
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!s||k||g===h}>Review and ${n?"save":"create"}</button></div></form>`}function Vi(e,t,n,s){return`\
Name: ${e}
Description: ${t}
Datacenters: ${n.join(", ")||"all"}
Rules:
${s}`}function hd({add:e}){let[t,n]=y("key"),[s,o]=y(!0),[a,i]=y(""),[l,c]=y("read"),u=lt.includes(t),d=ts(t),$=d.includes(l)?l:"read";return r`<fieldset class="names wide-field"><legend>Add a rule</legend><div class="ask-line">
    <${Ae} label="Resource" value=${t} set=${n} options=${[...es,...lt].sort()} />
    ${u?null:r`<${Ae} label="Which" value=${s?"prefix":"exact"} set=${f=>o(f==="prefix")} options=${[["prefix","all that begin with"],["exact","exactly"]]} />
      <${J} label="Rule's name" value=${a} set=${i} placeholder=${s?"empty: all":""} />`}
    <${Ae} label="Level" value=${$} set=${c} options=${d} /></div>
    <div class="buttons left"><button type="button" onClick=${()=>e(yn({resource:t,prefix:s,name:a,level:$}))}>Add the rule</button></div></fieldset>`}function md(){
let e=M("acl/roles").value,t=b(()=>e.data??[],[e.data]),n=[{id:"name",title:"Role",width:"minmax(9rem, 1fr)",by:s=>s.Name,cell:s=>r`<a href=${v("roles",[s.ID])}>${s.
Name}</a>`},{id:"description",title:"Description",width:"minmax(9rem, 1fr)",by:s=>s.Description,cell:s=>s.Description,wide:!0},{id:"policies",title:"Policies an\
d identities",width:"minmax(8rem, 2fr)",by:s=>(s.Policies??[]).map(o=>o.Name).join(" "),cell:s=>r`<${Ve} view="policies" links=${s.Policies} />${[...je(s).services,
...je(s).nodes].map(o=>r` <span class="badge">${o}</span>`)}`}];return r`<${R} view="roles" title="Roles" ready=${e.data!==void 0||e.error!==null} live=${e} actions=${r`<${Gi} view="roles" word="role" />`}>
    <${ne} label="roles" rows=${t} rowKey=${s=>s.ID} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.Description],policy:s=>(s.Policies??[]).map(o=>o.Name??"")}}
      empty="There are no roles, or this token may see none." /><//>`}function vd({id:e}){let t=e==="new",n=M(t?"":`acl/role/${encodeURIComponent(e)}`).value,s=b(
()=>V("edit"),[]),o=n.data??null,a=async()=>{if(!o)return;await j({method:"DELETE",path:`acl/role/${o.ID}`,done:`Role ${o.Name} is deleted.`,question:{title:`De\
lete role ${o.Name}`,danger:!0,confirm:"Delete",typed:o.Name,body:r`<p>Tokens that have it lose what it gives, at once.</p>`}})&&P(v("roles"))},i=o&&r`${s.value?
null:r`<${N} need=${K} run=${()=>{s.value="1"}}>Edit<//>`}<${N} need=${K} danger run=${()=>void a()}>Delete<//><${q} need=${K} />`,l=()=>{t?P(v("roles")):s.value=
""};return r`
    <${R} view="role" title=${t?"New role":o?.Name??"Role"} crumbs=${[["Roles",v("roles")]]} ready=${t||n.data!==void 0||n.error!==null} live=${n} actions=${i}>
      ${n.data===null?r`<${T}>There is no such role any more.<//>`:null}
      ${(t||o&&s.value)&&ae(K)?r`<${yd} role=${o} close=${l} />`:t?r`<${q} need=${K} />`:null}
      ${o?r`
        <${w} title="Role"><${W} pairs=${[["ID",r`<code>${o.ID}</code> <${L} text=${o.ID} />`],["Description",o.Description],["Policies",o.Policies&&r`<${Ve} view="policies" links=${o.
Policies} />`],["Service identities",je(o).services.join(", ")],["Node identities",je(o).nodes.join(", ")],["Index",o.ModifyIndex]]} /><//>
        <${zi} kind="Roles" id=${o.ID} />
        <${fe} data=${o} />`:null}
    <//>`}function yd({role:e,close:t}){let n=b(()=>e,[]),[s,o]=y(n?.Name??""),[a,i]=y(n?.Description??""),[l,c]=y(()=>$n(n??{})),u=D.value.dc,d=(g,h,k)=>({Name:g,
Description:h,...ke(pn(k,u),["Roles"])}),$=d(s,a,l),f=JSON.stringify(d(n?.Name??"",n?.Description??"",$n(n??{})),null,2),p=JSON.stringify($,null,2);return fn(f!==
p,"The role"),r`<form class="card" onSubmit=${async g=>{g.preventDefault();let h=n?`acl/role/${n.ID}`:"acl/role";if(n&&!await Ze(h,n,"The role"))return;let k=await j(
{method:"PUT",path:h,body:n?{ID:n.ID,...$}:$,done:`Role ${s} is saved.`,question:{title:n?`Save role ${s}`:`Make role ${s}`,confirm:n?"Save":"Create",body:r`<${Re} before=${n?
f:""} after=${p} />`}});k&&(Ne.value="",n?t():P(v("roles",[k.data.ID])))}}>
    <${J} label="Name" value=${s} set=${o} required />
    <${J} label="Description" value=${a} set=${i} />
    <${to} grants=${l} set=${c} ofRole />
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!s||f===p}>Review and ${n?"save":"create"}</button></div></form>`}var Hi,so=E(()=>{z();Te();Y();
Oe();he();Ye();ra();we();pe();it();We();Bi();Hi="00000000-0000-0000-0000-000000000001"});var el={};Ce(el,{default:()=>Qi});function Zi(){try{return JSON.parse(sessionStorage.getItem(la)??"null")}catch{return null}}function gn(e){return e instanceof ie?
/ACL support disabled/i.test(e.message)?"There is no access control here: no token is needed.":e.status===404?"This agent has no such login.":/ACL not found/i.test(
e.message)?"The agent does not know it.":e.message:String(e)}async function gd(e){try{await te("acl/token/self",{secret:e})}catch(t){return gn(t)}return O.value=
e,""}function Yi(){let e=new URL(C.UiRoot,location.href.split(/[?#]/)[0]).href;return[e,new URL("oidc/callback",e).href]}async function bd(e){let t=crypto.getRandomValues(
new Uint8Array(24)).reduce((s,o)=>s+o.toString(16).padStart(2,"0"),""),n="";for(let s of Yi())try{let{data:o}=await ee("POST","acl/oidc/auth-url",{secret:"",body:{
AuthMethod:e,RedirectURI:s,ClientNonce:t,Meta:{}}}),a=new URL(o.AuthURL);if(!/^https?:$/.test(a.protocol))return"The provider's address is not one of the web.";
let i={method:e,nonce:t,state:a.searchParams.get("state")??"",dc:D.peek().dc};return sessionStorage.setItem(la,JSON.stringify(i)),location.assign(a.href),""}catch(o){
if(n||=gn(o),!(o instanceof ie&&/redirect/i.test(o.message)))return n}return`${n} This page comes back to ${Yi()[0]}: the method's AllowedRedirectURIs must hold\
 it.`}async function wd(){let e=Zi();if(!e?.answer)return"";sessionStorage.removeItem(la);let t=new URLSearchParams(e.answer);if(!e.nonce)return"An answer to a \
login came that was not begun in this tab. It is ignored.";if(e.state&&t.get("state")!==e.state)return"The answer belongs to another login. It is ignored.";if(t.
has("error"))return`The provider refused: ${t.get("error_description")||t.get("error")}`;try{let{data:n}=await ee("POST","acl/oidc/callback",{secret:"",dc:e.dc,
body:{AuthMethod:e.method,State:t.get("state"),Code:t.get("code"),ClientNonce:e.nonce}});return O.value=n.SecretID,U(`Logged in by ${e.method}.`),""}catch(n){return`\
The login failed. ${gn(n)}`}}function Qi(){let[e,t]=y(""),[n,s]=y(!!Zi()?.answer),[o,a]=y(void 0);return A(()=>{wd().then(t).finally(()=>s(!1))},[]),A(()=>{let i=!1;
return a(void 0),te("acl/token/self").then(l=>{i||a(l)},l=>{i||a({error:gn(l)})}),()=>{i=!0}},[O.value,D.value.dc]),r`
    <${R} view="login" title=${O.value?"Your token":"Log in"} ready=${o!==void 0&&!n}>
      ${e?r`<div class="note bad" role="alert">${e}</div>`:null}
      ${Ee.value===!1?r`<${T}>There is no access control here: everybody may do everything, and no token is needed.<//>`:null}
      ${O.value?r`<${kd} self=${o} />`:null}
      ${Ee.value===!1?null:r`<div class="cards"><${_d} /><${xd} /></div>`}
    <//>`}function kd({self:e}){let t=async()=>{let s=!!e?.AuthMethod;if(await De({title:"Log out",confirm:"Log out",body:s?r`<p>This token was made for a login by <b>${e.
AuthMethod}</b>. Logging out destroys it: whoever else uses it loses it too.</p>`:r`<p>This page forgets the token. The token itself stays as it is, as it was not made for a login.</p>`})){
if(s)try{await ee("POST","acl/logout")}catch(a){U(`The token could not be destroyed: ${gn(a)} It is forgotten here all the same.`,!0),O.value="";return}O.value=
"",U(s?"Logged out: the token is destroyed.":"Logged out: the token is forgotten here.")}},n=je(e??{});return r`
    <${w} title=${e?.Description||"Your token"} actions=${r`<button type="button" onClick=${t}>Log out</button>`}>
      ${e?.error?r`<p class="note bad" role="alert">${e.error} <button type="button" onClick=${()=>{O.value=""}}>Forget it</button></p>`:r`
        <${W} pairs=${[["Accessor",e?.AccessorID&&r`<a href=${v("tokens",[e.AccessorID])}><code>${e.AccessorID}</code></a> <${L} text=${e.AccessorID} />`],["Pol\
icies",e?.Policies&&r`<${Ve} view="policies" links=${e.Policies} />`],["Roles",e?.Roles&&r`<${Ve} view="roles" links=${e.Roles} />`],["Identities",[...n.services,
...n.nodes].join(", ")],["From",e?.AuthMethod?r`a login by <a href=${v("methods",[e.AuthMethod])}>${e.AuthMethod}</a>`:"a token that was given"],["Scope",e?.Local?
"this datacenter":"all datacenters"],["Created",e?.CreateTime&&r`<${ze} at=${Date.parse(e.CreateTime)} />`],["Expires",e&&r`<${Qn} at=${ht(e)} />`]]} />
        <${fe} data=${ke(e,["SecretID"])} />`}
      <${Kt} label="Remember the token on this computer" value=${Tt.value} set=${s=>{Tt.value=s}} />
      <p class="hint">${Tt.value?"It stays in this browser until you log out.":"It is kept for this tab only, until you close it."}</p>
    <//>`}function _d(){let[e,t]=y(""),[n,s]=y(""),o=async a=>{a.preventDefault();let i=await gd(e.trim());s(i&&`This token cannot be used. ${i}`),i||(t(""),U("\
The token is in use."))};return r`<${w} title=${O.value?"Use another token":"With a token"}>
    <form onSubmit=${o}>
      <${J} label="Secret ID" type="password" value=${e} set=${t} required />
      <${Kt} label="Remember on this computer" value=${Tt.value} set=${a=>{Tt.value=a}} />
      ${n?r`<p class="note bad" role="alert">${n}</p>`:null}
      <div class="buttons left"><button type="submit" class="primary" disabled=${!e.trim()}>Use it</button></div>
    </form><//>`}function xd(){let[e,t]=y([]),[n,s]=y(""),[o,a]=y(""),[i,l]=y(""),[c,u]=y("");A(()=>{te("acl/auth-methods").then(p=>t(p??[]),()=>{})},[O.value]);
let d=e.find(p=>p.Name===n),$=o||(d?d.Type==="oidc"?"browser":"bearer":"browser");return r`<${w} title="By an auth method">
    <form onSubmit=${async p=>{if(p.preventDefault(),u(""),$==="browser"){u(await bd(n));return}try{let{data:m}=await ee("POST","acl/login",{secret:"",body:{AuthMethod:n,
BearerToken:i.trim(),Meta:{}}});O.value=m.SecretID,l(""),U(`Logged in by ${n}.`)}catch(m){let g=m instanceof ie&&m.status===403?`${m.message}: there is no such \
method, or no binding rule of it gives you anything.`:gn(m);u(i.trim()?g.replaceAll(i.trim(),"(the bearer token)"):g)}}}>
      <${J} label="Method" value=${n} set=${p=>{s(p),a("")}} required list=${e.map(p=>p.Name)}
        hint=${d?`${d.DisplayName||d.Name}, ${d.Type}`:"The name of the auth method"} />
      <${Ae} label="How" value=${$} set=${a} options=${[["browser","with a browser (OIDC)"],["bearer","with a bearer token (JWT, Kubernetes)"]]} />
      ${$==="bearer"?r`<label class="field"><span>Bearer token</span><textarea class="code" rows="4" spellcheck=${!1} autocomplete="off" required
        value=${i} onInput=${p=>l(p.target.value)}></textarea></label>`:null}
      ${c?r`<p class="note bad" role="alert">${c}</p>`:null}
      <div class="buttons left"><button type="submit" disabled=${!n||$==="bearer"&&!i.trim()}>${$==="browser"?"Go to the provider":"Log in"}</button></div>
    </form><//>`}var la,tl=E(()=>{z();ye();Oe();Y();ue();Ye();we();pe();it();la="proconsul.oidc"});var al={};Ce(al,{default:()=>sl});function sl(){let e=b(()=>V("tab","raft"),[]),t=x.value?ua:[...ua,...Nd],n=t.find(([s])=>s===e.value)??ua[0];return r`<${R} view="operations" title="Operations">
    <${pt} label="Operations" choice=${e} tabs=${t.map(([s,o])=>[s,o])} />
    <div class="tab-body" key=${n?.[0]}>${n?.[2]()}</div><//>`}function wt({live:e,missing:t="This agent has no such thing.",children:n}){return e.error?.status===
404&&e.data===void 0?r`<${T}>${t}<//>`:e.data===void 0&&!e.error?r`<${T}>Asking.<//>`:r`<${Eo} live=${e} />${e.data!==void 0?n:null}`}function ol(e){try{return e.
error?.status===429?JSON.parse(e.error.message):e.data}catch{return e.data}}function Td(){let e=M("operator/raft/configuration").value,t=ol(Z("operator/autopilo\
t/health").value),n=Z("agent/self").value.data,s=e.data?.Servers??[],o=new Map((t?.Servers??[]).map(l=>[l.ID,l])),a=Math.max(0,...[...o.values()].map(l=>l.LastIndex)),
i=l=>{let c=o.get(l.ID),u=c?.LastIndex?a-c.LastIndex:null;return r`<tr key=${l.ID}><td><a href=${v("nodes",[l.Node])}>${l.Node}</a>${l.Leader?r` <span class="badge">leader</span>`:
null}${l.Voter?null:r` <span class="badge">no vote</span>`}</td>
      <td><code class="nowrap">${l.Address}</code></td>
      <td>${c?r`<${H} status=${c.Healthy?"passing":"critical"} text=${c.Healthy?"healthy":c.SerfStatus} />`:r`<span class="dim">not known</span>`}</td>
      <td>${c?.LastIndex??""}${u?r` <span class="hint">${S(u,"entry","entries")} behind</span>`:null}</td><td>${c?.LastContact??""}</td><td>${c?.Version??""}</td>
      <td><div class="actions">${_e&&l.Voter&&!l.Leader?r`<${N} need=${bn} run=${()=>void Cd(l)}>Make leader<//>`:null}
        ${l.Leader?null:r`<${N} need=${bn} danger run=${()=>void Dd(l)}>Remove<//>`}</div></td></tr>`};return r`
    <${w} title="Servers" actions=${r`<${q} need=${bn} />`}>
      <${wt} live=${e}>
        ${t?r`<p>${t.Healthy?"All servers are healthy.":"Not all servers are healthy."} ${S(t.FailureTolerance,"more voter")} may fail.</p>`:null}
        <div class="scroll-x" tabindex="0" role="region" aria-label="Raft servers"><table class="plain"><thead><tr><th>Server</th><th>Address</th><th>State</th><th>Last index</th><th>Last contact</th><th>Version</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
          ${s.map(i)}</tbody></table></div>
        <${fe} data=${e.data} />
      <//>
    <//>
    ${n?.Stats?.raft&&!x.value?r`<${w} title=${`Raft as ${C.NodeName||"this agent"} sees it`}><${W} pairs=${Object.entries(n.Stats.raft)} /><//>`:null}`}function Dd(e){
return j({method:"DELETE",path:"operator/raft/peer",params:{id:e.ID},done:`${e.Node} is no Raft peer any more.`,question:{title:`Remove ${e.Node} from Raft`,danger:!0,
confirm:"Remove",typed:e.Node,body:r`<p>This is for a server that is gone for good. It takes its vote away; if it still runs, it comes back as soon as it joins. The quorum may change.</p>`}})}
function Cd(e){return j({method:"POST",path:"operator/raft/transfer-leader",params:{id:e.ID},done:`${e.Node} was asked to lead.`,question:{title:`Make ${e.Node}\
 the leader`,confirm:"Hand over",body:r`<p>The leader steps back for it. Writes wait for a moment.</p>`}})}function Ad(){let e=Z("operator/autopilot/health").value,
t=Z(_e?"operator/autopilot/state":"").value.data,n=Z("operator/autopilot/configuration",1e4).value,[s,o]=y(!1),a=ol(e);return r`
    <${w} title="Health">
      ${a?r`<p><${H} status=${a.Healthy?"passing":"critical"} text=${a.Healthy?"healthy":"not healthy"} />, ${S(a.FailureTolerance,"more voter")} may fail.</p>
        <div class="scroll-x" tabindex="0" role="region" aria-label="Health of servers"><table class="plain"><thead><tr><th>Server</th><th>State</th><th>Stable for</th><th>Term</th><th>Why</th></tr></thead><tbody>
          ${(a.Servers??[]).map(i=>r`<tr key=${i.ID}><td>${i.Name}${i.Voter?null:r` <span class="badge">no vote</span>`}</td>
            <td><${H} status=${i.Healthy?"passing":"critical"} text=${i.Healthy?"healthy":i.SerfStatus} /></td>
            <td>${Date.parse(i.StableSince)>0?r`<${ze} at=${Date.parse(i.StableSince)} />`:""}</td><td>${i.LastTerm}</td><td>${(t?.Servers?.[i.ID]?.Why??[]).join(
"; ")}</td></tr>`)}</tbody></table></div>
        ${t?.Next?r`<p>Next: ${t.Next}.</p>`:null}<${fe} data=${t??a} />`:r`<${wt} live=${e} />`}
    <//>
    <${w} title="Settings" actions=${s||!n.data?null:r`<${N} need=${bn} run=${()=>o(!0)}>Edit<//><${q} need=${bn} />`}>
      ${s&&ae(bn)?r`<${Id} config=${n.data} close=${()=>o(!1)} />`:r`<${wt} live=${n}>
        <${W} pairs=${Object.entries(ke(n.data,["CreateIndex"])).map(([i,l])=>[i,String(l)||r`<span class="dim">none</span>`])} /><//>`}
    <//>`}function Id({config:e,close:t}){let n=b(()=>e,[]),s=b(()=>Object.keys(ke(n,["CreateIndex","ModifyIndex"])),[]),[o,a]=y(n),i=c=>s.map(u=>`${u}: ${c[u]}`).
join(`
`);return r`<form onSubmit=${async c=>{c.preventDefault(),await j({method:"PUT",path:"operator/autopilot/configuration",params:{cas:n.ModifyIndex},body:ke(o,["C\
reateIndex","ModifyIndex"]),done:"Autopilot's settings are saved.",refused:({data:d})=>d===!1?"Somebody changed the settings meanwhile. Nothing was saved; close\
 the form to see them.":void 0,question:{title:"Save autopilot's settings",confirm:"Save",body:r`<${Re} before=${i(n)} after=${i(o)} />`}})&&t()}}>${s.map(c=>{let u=o[c],
d=$=>a({...o,[c]:typeof n[c]=="number"?Number($):$});return typeof n[c]=="boolean"?r`<${Kt} key=${c} label=${c} value=${u} set=${d} />`:r`<${J} key=${c} label=${c} type=${typeof n[c]==
"number"?"number":"text"} value=${String(u)} set=${d} />`})}<div class="buttons"><button type="button" onClick=${t}>Cancel</button><button type="submit" data-change class="primary" disabled=${i(
n)===i(o)}>Review and save</button></div></form>`}function Ed(){let e=Z("agent/self",6e4).value,t=e.data?.Stats?.serf_lan?.encrypted==="false",n=e.data!==void 0||
e.error!==null,s=Z(n&&!t?"operator/keyring":"",1e4).value,[o,a]=y(""),i=async l=>{l.preventDefault(),await j({method:"POST",path:"operator/keyring",body:{Key:o.
trim()},shown:{Key:"$KEY"},done:"The key is installed.",question:{title:"Install a gossip key",confirm:"Install",body:r`<p>All members of all datacenters learn it. It is not used until it is made the primary key.</p>`}})&&
a("")};return r`
    ${t?r`<${T}>Gossip is not encrypted here, so there are no keys: the agents have no <code>encrypt</code> in their settings.<//>`:r`<${wt} live=${s}>${(s.data??
[]).map(l=>r`<${Od} key=${`${l.WAN} ${l.Datacenter} ${l.Segment}`} ring=${l} />`)}<//>`}
    ${t?null:ae(oo)&&s.data?r`<${w} title="Install a key"><form onSubmit=${i}><${J} label="Key (16, 24 or 32 bytes in base64)" value=${o} set=${a} required />
      <div class="buttons left"><button type="button" onClick=${()=>a(Je(crypto.getRandomValues(new Uint8Array(32))))}>Make one</button><button type="submit" data-change class="primary" disabled=${!o.
trim()}>Install</button></div></form><//>`:r`<${q} need=${oo} />`}`}function Od({ring:e}){let t=e.WAN?"WAN":`${e.Datacenter} LAN${e.Segment?`, segment ${e.Segment}`:
""}`,n=o=>j({method:"PUT",path:"operator/keyring",body:{Key:o},shown:{Key:"$KEY"},done:"The key is the primary one.",question:{title:"Use this key",confirm:"Use\
 it",body:r`<p>From now on all members encrypt with it. Those that do not have it can no longer read: it has to be on every one of them, in every datacenter.</p>`}}),
s=o=>j({method:"DELETE",path:"operator/keyring",body:{Key:o},shown:{Key:"$KEY"},done:"The key is removed.",question:{title:"Remove this key",danger:!0,confirm:"\
Remove",typed:"remove",body:r`<p>Members that still encrypt with it are no longer understood, and are thought to have failed.</p>`}});return r`<${w} title=${`Ke\
ys of ${t}`}><p class="hint">${S(e.NumNodes,"member")}</p>
    <div class="scroll-x" tabindex="0" role="region" aria-label=${`Keys of ${t}`}><table class="plain"><thead><tr><th>Key</th><th>On members</th><th>Use</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
    ${Object.entries(e.Keys??{}).map(([o,a])=>{let i=!!e.PrimaryKeys?.[o]||!e.PrimaryKeys&&Object.keys(e.Keys)[0]===o;return r`<tr key=${o}><td><${eo} text=${o} what="the key" /></td><td>${a} of ${e.
NumNodes}${Number(a)<e.NumNodes?r` <span class="status s2"><i aria-hidden="true"></i>not on all</span>`:null}</td>
        <td>${i?r`<${H} status="passing" text=${`primary on ${e.PrimaryKeys?.[o]??a}`} />`:"to read only"}</td>
        <td><div class="actions">${i?null:r`<${N} need=${oo} run=${()=>void n(o)}>Use<//><${N} need=${oo} danger run=${()=>void s(o)}>Remove<//>`}</div></td></tr>`})}</tbody></table></div><//>`}
function Rd(e,t){let n=URL.createObjectURL(e),s=document.createElement("a");s.href=n,s.download=t,s.click(),setTimeout(()=>URL.revokeObjectURL(n),1e4)}function Md(){
let[e,t]=y(""),n=Q(null),s=async()=>{t("The leader writes the snapshot.");try{let{dc:a}=D.peek(),i=await ir("snapshot");Rd(i,`consul-${a||"dc"}-${new Date().toISOString().
slice(0,19).replaceAll(":","")}.snap`),U(`A snapshot of ${et(i.size)} is downloaded.`)}catch(a){U(a instanceof Error?a.message:String(a),!0)}t("")},o=async()=>{
let a=n.current?.files?.[0],i=x.peek();if(!a)return U("Choose a snapshot first.",!0);if(await De({title:`Restore a snapshot into ${D.peek().dc}`,danger:!0,confirm:"\
Restore",typed:"restore",curl:`${ve("PUT",de("snapshot"))} --data-binary @backup.snap`,body:r`<p>Everything the datacenter <b>${D.peek().dc}</b> knows is replaced by <b>${a.
name}</b> (${et(a.size)}): catalog, keys, sessions, access control. What was written since is lost, also tokens: yours may be among them.</p>`})){t("The servers\
 take the snapshot over.");try{await ee("PUT","snapshot",{dc:i,body:a}),U("The snapshot is restored.")}catch(c){U(c instanceof Error?c.message:String(c),!0)}return t(
"")}};return r`<${w} title="Save">
      <p>The whole state of the servers of ${D.value.dc} as one file: catalog, keys, sessions, access control. It holds secrets.</p>
      ${ot(ca)?r`<button type="button" disabled=${e!==""} onClick=${s}>Download a snapshot</button>`:r`<span class="hint">needs acl:write</span>`}
      <${L} text=${ve("GET",de("snapshot")).replace(/^curl/,"curl -o backup.snap")} block />
    <//>
    ${ae(ca)?r`<${w} title="Restore">
      <label class="field"><span>Snapshot file</span><input type="file" ref=${n} /></label>
      <button type="button" data-change class="danger" disabled=${e!==""} onClick=${()=>void o()}>Restore</button><//>`:r`<${q} need=${ca} />`}
    <p role="status">${e}</p>`}function Ld(){let e=Z("agent/metrics").value,t=b(()=>(e.data&&Ir(nl,e.data,Date.now()),[...nl.values()]),[e.data]);return r`<p class="hint">Of the agent this page comes from, asked every 5 seconds; the agent sums up 10. Gauges as they are, counters per interval, samples by their mean.</p>
    <${wt} live=${e}><${ne} label="metrics" rows=${t} rowKey=${s=>`${s.kind} ${s.name}`} columns=${[{id:"name",title:"Metric",width:"minmax(10rem, 2fr)",by:s=>s.
name,cell:s=>r`<span title=${s.name}>${s.name}</span>`},{id:"kind",title:"Kind",width:"5rem",by:s=>s.kind,cell:s=>s.kind,wide:!0},{id:"value",title:"Now",width:"\
6rem",by:s=>s.values.at(-1)??0,cell:s=>r`<b title=${Object.entries(s.last).map(([o,a])=>`${o}: ${a}`).join(`
`)}>${Jn(s.values.at(-1)??0)}</b>`},{id:"line",title:"Since the page was opened",width:"minmax(8rem, 1fr)",wide:!0,cell:s=>r`<${Pd} row=${s} />`},{id:"range",title:"\
Lowest to highest",width:"11rem",wide:!0,cell:s=>r`<span class="dim">${Jn(Math.min(...s.values))} to ${Jn(Math.max(...s.values))}</span>`}]} order="name"
      fields=${{"":s=>s.name,kind:s=>s.kind}} quick=${[["kind:gauge","gauges"],["kind:counter","counters"],["kind:sample","samples"]]} /><//>`}function Pd({row:e}){
return r`<svg class="spark" role="img" aria-label=${`${e.name}: ${e.values.slice(-8).map(Jn).join(", ")}`} viewBox="0 0 160 24" preserveAspectRatio="none">
    <polyline points=${e.values.length>1?Er(e.values,160,24):"0,12 160,12"} /></svg>`}function Ud(){let e=Z("agent/self",3e4).value,t=b(()=>Po(ke(e.data,["Coord",
"Member"])),[e.data]);return r`<p class="hint">What this agent goes by now: its settings with all defaults (DebugConfig) and its counts (Stats).</p>
    <${wt} live=${e}><${ne} label="settings" rows=${t} rowKey=${s=>s.name} columns=${[{id:"name",title:"Setting",width:"minmax(9rem, 1fr)",by:s=>s.name,cell:s=>r`<code title=${s.
name}>${s.name}</code>`},{id:"value",title:"Value",width:"minmax(7rem, 1fr)",by:s=>s.value,cell:s=>r`<span title=${s.value}>${s.value}</span>`}]} order="name"
      fields=${{"":s=>[s.name,s.value],name:s=>s.name,value:s=>s.value}} quick=${[["name:Stats","counts"],["name:DebugConfig","settings"]]} />
      <${fe} data=${e.data} label="agent/self" /><//>`}function jd(){let e=Z("agent/self",1e4).value,t=Z("agent/checks").value.data??{},[n,s]=y(""),o=t._node_maintenance,
a=C.NodeName||e.data?.Config?.NodeName||"this agent",i=Sd(),l={Resource:"node",Access:"write",Segment:C.NodeName},c=()=>j({method:"PUT",path:"agent/maintenance",
params:o?{enable:"false"}:{enable:"true",reason:n||"Set on the web page"},done:o?`${a} serves again.`:`${a} is in maintenance.`,question:{title:o?`End maintenan\
ce of ${a}`:`Put ${a} into maintenance`,confirm:o?"End maintenance":"Start maintenance",typed:o?void 0:a,body:o?r`<p>Its services are found again.</p>`:r`<p>A critical check is put on the node: none of its services is found any more until it ends. They go on running.</p>`}}),
u=()=>j({method:"PUT",path:"agent/reload",done:`${a} has read its settings.`,question:{title:`Reload ${a}`,confirm:"Reload",body:r`<p>It reads its configuration files again. What is wrong in them is refused, and the log says why.</p>`}}),
d=()=>j({method:"PUT",path:"agent/leave",done:`${a} leaves.`,question:{title:`Make ${a} leave`,danger:!0,confirm:"Leave",typed:a,body:r`<p>It tells the others and ends: this page ends with it. Its services are taken out of the catalog. It comes back when somebody starts it.${e.
data?.Config?.Server?" It is a server: its vote is taken away.":""}</p>`}});return r`<${w} title=${a} actions=${r`<${N} need=${i} run=${()=>void u()}>Reload<//><${N} need=${i} danger run=${()=>void d()}>Leave<//><${q} need=${i} />`}>
      <${wt} live=${e}><${W} pairs=${[["Version",[e.data?.Config?.Version,C.Version&&`proconsul ${C.Version}`].filter(Boolean).join(", ")],["Role",e.data?.Config?.
Server?"server":"client"],["Datacenter",e.data?.Config?.Datacenter],["Node ID",e.data?.Config?.NodeID],["Address",e.data?.Member?.Addr],["Health score",e.data?.
Stats?.serf_lan?.health_score]]} /><//>
    <//>
    <${w} title="Maintenance" actions=${r`<${q} need=${l} />`}>
      ${o?r`<p><${H} status="maintenance" text="in maintenance" />: ${o.Notes}</p>`:r`<p>The node serves.</p>`}
      ${ae(l)&&!o?r`<${J} label="Reason" value=${n} set=${s} />`:null}
      <${N} need=${l} danger=${!o} run=${()=>void c()}>${o?"End maintenance":"Start maintenance"}<//>
    <//>
    ${_e?r`<${qd} need=${i} />`:null}`}function qd({need:e}){let t=Z("agent/sync").value,n=t.data,s=()=>j({method:"PUT",path:"agent/sync",done:"Compared with th\
e catalog."}),o=[...Object.entries(n?.Services??{}).map(([a,i])=>["service",a,i]),...Object.entries(n?.Checks??{}).map(([a,i])=>["check",a,i])];return r`<${w} title="In the catalog" actions=${r`<${N} need=${e} run=${()=>void s()}>Compare now<//>`}>
    <${wt} live=${t}><${W} pairs=${[["Node",n&&r`<${H} status=${n.Node.InSync?"passing":"critical"} text=${n.Node.InSync?"in sync":"not in sync"} /> ${n.Node.LastError}`],
["Servers",n?.ServersReachable?"reachable":`not reachable: ${n?.LastError??""}`],["Compared",Date.parse(n?.LastComparison)>0?r`<${ze} at=${Date.parse(n.LastComparison)} />`:
null],["Again",Date.parse(n?.NextComparison)>0?new Date(n.NextComparison).toLocaleTimeString():null]]} />
    ${o.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Services and checks"><table class="plain"><thead><tr><th>What</th><th>ID</th><th>State</th></tr></thead><tbody>${o.
map(([a,i,l])=>r`<tr key=${`${a} ${i}`}><td>${a}</td><td>${i}</td>
      <td><${H} status=${l.InSync?"passing":"critical"} text=${l.InSync?"in sync":"not in sync"} /> ${l.LastError??""}</td></tr>`)}</tbody></table></div>`:r`<${T}>Nothing is registered with this agent.<//>`}<//><//>`}
var bn,oo,ca,Sd,ua,Nd,nl,rl=E(()=>{z();ye();Te();Y();Oe();ue();he();Ye();we();pe();it();We();bn={Resource:"operator",Access:"write"},oo={Resource:"keyring",Access:"\
write"},ca={Resource:"acl",Access:"write"},Sd=()=>({Resource:"agent",Access:"write",Segment:C.NodeName}),ua=[["raft","Raft",()=>r`<${Td} />`],["autopilot","Auto\
pilot",()=>r`<${Ad} />`],["keyring","Keyring",()=>r`<${Ed} />`],["snapshot","Snapshot",()=>r`<${Md} />`]],Nd=[["metrics","Metrics",()=>r`<${Ld} />`],["settings",
"Configuration",()=>r`<${Ud} />`],["agent","Agent",()=>r`<${jd} />`]];nl=new Map});var ul={};Ce(ul,{default:()=>cl});function Bd(e){let t=b(()=>B({lines:[],state:"connecting",trouble:""}),[]),n=Q(0);return A(()=>{let s=new AbortController,o=!1,
a=[],i=(d={})=>{let{lines:$}=t.peek();t.value={...t.peek(),lines:a.length?[...$,...a].slice(-ll):$,...d},a=[]},l=setInterval(()=>{a.length&&i()},Kd),c=async d=>{
let $=new TextDecoder,f="",p="info";i({state:"connecting",trouble:""});try{let m=rr(de("agent/monitor",{loglevel:e},""),d);setTimeout(()=>{!d.aborted&&t.peek().
state==="connecting"&&i({state:"open"})},1e3);for await(let g of m){let[h,k]=Rr(f+$.decode(g,{stream:!0}));f=k;for(let _ of h)_&&(p=Or(_,p),a.push({id:n.current,
text:_,level:p}),n.current+=1);t.peek().state!=="open"&&i({state:"open"})}d.aborted||i({state:"ended",trouble:"The agent has ended the stream."})}catch(m){if(d.
aborted)return;let g=m instanceof ie&&m.status>=400&&m.status<500;i({state:g?"refused":"ended",trouble:m instanceof ie?m.message:"The agent does not answer."})}
!d.aborted&&t.peek().state!=="refused"&&setTimeout(()=>{d.aborted||c(d)},Wd)},u=()=>{s.abort(),!o&&(document.hidden?i({state:"paused"}):(s=new AbortController,c(
s.signal)))};return document.addEventListener("visibilitychange",u),u(),()=>{o=!0,s.abort(),clearInterval(l),document.removeEventListener("visibilitychange",u)}},
[e,O.value]),{kept:t,clear:()=>{t.value={...t.peek(),lines:[]}}}}function cl(){let e=b(()=>V("level","info"),[]),t=b(()=>V("filter"),[]),[n,s]=y(null),[o,a]=y(!0),
i=il.includes(e.value)?e.value:"info",{kept:l,clear:c}=Bd(i),{lines:u,state:d,trouble:$}=l.value,f=n??u,p=b(()=>{let h=Es(t.value),k=Os(h,{"":_=>_.text,level:_=>_.
level});return h.length?f.filter(k):f},[f,t.value]),m=async()=>{await jn(p.map(h=>h.text).join(`
`)),U(`${S(p.length,"line")} copied.`)},g=n?`paused, ${S(u.filter(h=>h.id>(n.at(-1)?.id??-1)).length,"new line")}`:{open:"live",connecting:"connecting",paused:"\
paused",ended:"interrupted",refused:"refused"}[d];return r`
    <${R} view="log" title=${x.value?`Log of ${C.NodeName} in ${C.Datacenter}`:"Log"} actions=${r`<span class="hint" role="status" data-log-state=${n?"held":d}>${g}</span>`}>
      ${$?r`<div class="note bad" role="alert">${$}</div>`:null}
      <div class="list-tools">
        <input type="search" class="filter" data-filter value=${t.value} placeholder="Filter" aria-label="Filter the log" title="Words that must all occur; level: for the level; a minus before what must not"
          onInput=${h=>{t.value=h.target.value}} onKeyDown=${h=>{h.key==="Escape"&&(t.value="")}} />
        <${Ae} label="Level" value=${i} set=${h=>{e.value=h,c(),s(null)}} options=${il.map(h=>[h,h==="err"?"error":`${h} and worse`])} />
        <button type="button" aria-pressed=${n!==null} onClick=${()=>s(n?null:u)}>${n?"Go on":"Pause"}</button>
        <button type="button" aria-pressed=${o} onClick=${()=>a(!o)}>Follow</button>
        <button type="button" onClick=${m} disabled=${!p.length}>Copy</button>
        <button type="button" onClick=${()=>{c(),n&&s([])}}>Clear</button>
        <span class="count">${p.length===f.length?S(p.length,"line"):`${p.length.toLocaleString("en")} of ${S(f.length,"line")}`}${u.length===ll?", the oldest a\
re dropped":""}</span>
      </div>
      ${p.length?r`<${Vd} lines=${p} follow=${o&&n===null} away=${()=>a(!1)} />`:r`<${T}>${f.length?"No line matches.":"No line has come yet: the log tells what\
 happens from now on."}<//>`}
    <//>`}function Vd({lines:e,follow:t,away:n}){let s=Q(null);Gt(()=>{t&&s.current&&(s.current.scrollTop=s.current.scrollHeight)},[e,t]);let o=b(()=>{let i=new Map;
for(let l of e){let c=Math.floor(l.id/Fd),u=i.get(c);u?u.push(l):i.set(c,[l])}return[...i]},[e]);return r`<div class="log" ref=${s} role="log" aria-label="Log" aria-live="off" tabindex="0" onWheel=${i=>{
t&&i.deltaY<0&&n()}}
      onKeyDown=${i=>{["ArrowUp","PageUp","Home"].includes(i.key)&&n()}}>
    ${o.map(([i,l])=>r`<${Hd} key=${i} lines=${l} />`)}</div>`}function Hd({lines:e}){return b(()=>r`<div class="log-block">${e.map(t=>r`<div key=${t.id} class=${`\
line l-${t.level}`}>${t.text}</div>`)}</div>`,[e.length,e[0]?.id,e.at(-1)?.id])}var ll,Fd,Kd,Wd,il,dl=E(()=>{z();ye();Y();an();he();Ye();ue();we();pe();it();ll=
5e3,Fd=100,Kd=200,Wd=3e3,il=["trace","debug","info","warn","err"]});var kt,da=E(()=>{kt=[{id:"overview",title:"Overview",group:"Cluster",key:"o",load:()=>Promise.resolve().then(()=>(Tr(),Nr))},{id:"services",title:"Services",group:"\
Catalog",key:"s",load:()=>Promise.resolve().then(()=>(jr(),Ur))},{id:"instance",title:"Instance",group:"",load:()=>Promise.resolve().then(()=>(js(),Lr)).then(e=>({
default:e.Instance}))},{id:"nodes",title:"Nodes",group:"Catalog",key:"n",load:()=>Promise.resolve().then(()=>(Hr(),Vr))},{id:"kv",title:"Keys",group:"Catalog",key:"\
k",load:()=>Promise.resolve().then(()=>(gi(),yi))},{id:"key",title:"Key",group:"",load:()=>Promise.resolve().then(()=>(Zo(),hi))},{id:"sessions",title:"Sessions",
group:"Catalog",key:"l",load:()=>Promise.resolve().then(()=>(Xo(),$i))},{id:"queries",title:"Prepared queries",group:"Catalog",key:"q",load:()=>Promise.resolve().then(()=>(_i(),ki))},
{id:"intentions",title:"Intentions",group:"Mesh",key:"i",load:()=>Promise.resolve().then(()=>(Di(),Ti))},{id:"tokens",title:"Tokens",group:"Access",key:"t",need:{
Resource:"acl",Access:"read"},load:()=>Promise.resolve().then(()=>(Ki(),Fi))},{id:"policies",title:"Policies",group:"Access",key:"p",need:{Resource:"acl",Access:"\
read"},load:()=>Promise.resolve().then(()=>(so(),no))},{id:"roles",title:"Roles",group:"Access",need:{Resource:"acl",Access:"read"},load:()=>Promise.resolve().then(()=>(so(),no))},
{id:"methods",title:"Auth methods",group:"Access",need:{Resource:"acl",Access:"read"},load:()=>Promise.resolve().then(()=>(so(),no))},{id:"login",title:"Log in",
group:"",load:()=>Promise.resolve().then(()=>(tl(),el))},{id:"operations",title:"Operations",group:"Cluster",key:"r",load:()=>Promise.resolve().then(()=>(rl(),al))},
{id:"log",title:"Log",group:"Cluster",need:{Resource:"agent",Access:"read"},load:()=>Promise.resolve().then(()=>(dl(),ul))}]});var pl={};Ce(pl,{Palette:()=>Yd});function fl(){return kt.filter(e=>e.group&&(!e.ours||_e)&&(!e.need||ot(e.need)===!0)&&(e.group!=="Access"||Ee.value!==!1)).map(
e=>_t(e.title,{href:v(e.id),hint:e.key?`g ${e.key}`:""}))}function $l(){let{dc:e,view:t}=D.value;return[...["auto","light","dark"].filter(s=>s!==ft.value).map(s=>_t(
`Theme: ${s}`,{run:()=>{ft.value=s}})),...C.ReadOnly?[]:[_t(Me.value?"Read-only: off":"Read-only: on",{hint:"w",run:()=>{st.value=!st.peek()}})],...Vt.value.filter(
s=>s!==e).map(s=>_t(`Go to datacenter ${s}`,{href:v(t,"",{},s)})),...Ee.value===!1?[]:[_t("Log in or out",{href:v("login")})]]}function Gd(){let[e,t]=y({services:[],
nodes:[],trouble:""});return A(()=>{let n=new AbortController,s={signal:n.signal};return Promise.allSettled([te("catalog/services",s),te("catalog/nodes",s)]).then(
([o,a])=>{if(n.signal.aborted)return;let i=[o,a].find(l=>l.status==="rejected");t({services:o.status==="fulfilled"?Object.keys(o.value??{}).map(l=>_t(l,{href:v(
"services",[l])})):[],nodes:a.status==="fulfilled"?(a.value??[]).map(l=>_t(l.Node,{href:v("nodes",[l.Node]),hint:l.Address})):[],trouble:i?.status==="rejected"?
String(i.reason?.message??i.reason):""})}),()=>n.abort()},[]),e}function zd(e){let[t,n]=y([]);return A(()=>{if(!e||!Ue(e)){n([]);return}let s=new AbortController,
o=setTimeout(async()=>{try{let a=await te(qt(e,!0),{signal:s.signal,accept:[404]}),i=e.slice(0,e.lastIndexOf("/")+1),l=Fs(Array.isArray(a)?a.filter(c=>c.startsWith(
e)):[],i);s.signal.aborted||n(l.slice(0,Bt).map(c=>_t(c.key,{href:v(c.folder?"kv":"key",c.key),hint:c.folder?"folder":""})))}catch{s.signal.aborted||n([])}},Jd);
return()=>{clearTimeout(o),s.abort()}},[e]),t}function Xd(e,t){let n=e.trim().toLowerCase();return[{title:"Pages",items:Hn(e,fl(),n?Bt:99)},{title:"Services",items:n?
Hn(e,t.services,Bt):[]},{title:"Nodes",items:n?Hn(e,t.nodes,Bt):[]},{title:"Actions",items:Hn(e,$l(),Bt)}].map(o=>({...o,level:n&&o.items[0]?Lo(n,o.items[0].low):
0})).sort((o,a)=>o.level-a.level)}function Yd({close:e}){let[t,n]=y(""),[s,o]=y(0),a=Q(null),i=Q(null);A(()=>i.current?.focus(),[]);let l=Gd(),c=zd(t),u=[...fl(),
...$l()].map(({text:h})=>h).join(`
`),d=b(()=>Xd(t,l),[t,l,u]),$=[...d.filter(({level:h})=>h<4),{title:"Keys",items:c},...d.filter(({level:h})=>h===4)].filter(({items:h})=>h.length),f=$.flatMap(h=>h.
items),p=Math.min(s,f.length-1);A(()=>{a.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({block:"nearest"})},[p,$]);let m=h=>{h&&(e(),h.run?h.run():
h.href&&P(h.href))},g=h=>{let k={ArrowDown:p+1,ArrowUp:p-1,PageDown:p+Bt,PageUp:p-Bt}[h.key];if(k!==void 0){h.preventDefault();let _=f.length-1,F=Math.abs(k-p)===
1;o(F&&k>_?0:F&&k<0?_:Math.max(0,Math.min(_,k)))}else h.key==="Enter"&&!h.isComposing&&(h.preventDefault(),m(f[p]))};return r`
    <${Xe} title="Find" close=${e} class="palette">
      <input class="palette-input" type="text" role="combobox" aria-expanded=${f.length>0} aria-controls="palette-list" aria-autocomplete="list" aria-label="Find a page, service, node, key or action"
        aria-activedescendant=${f.length?`palette-${p}`:void 0} placeholder="Page, service, node, beginning of a key, action" autocomplete="off" spellcheck=${!1} ref=${i}
        value=${t} onInput=${h=>{n(h.target.value),o(0)}} onKeyDown=${g} />
      <div id="palette-list" role="listbox" aria-label="Found" class="palette-list" ref=${a}>
        ${$.map(h=>r`<${Zd} key=${h.title} group=${h} from=${f.indexOf(h.items[0])} active=${p} take=${m} />`)}
      </div>
      ${f.length?null:r`<p class="empty" role="status">Nothing of that name.</p>`}
      ${l.trouble?r`<p class="hint">${l.trouble}</p>`:null}
    <//>`}function Zd({group:e,from:t,active:n,take:s}){return r`
    <div role="group" aria-label=${e.title}>
      <div class="menu-title" aria-hidden="true">${e.title}</div>
      ${e.items.map((o,a)=>r`
        <div role="option" key=${o.text} id=${`palette-${t+a}`} aria-selected=${t+a===n} onClick=${()=>s(o)}>
          <span class="key-name">${se(o.text)}</span>${o.hint?r` <span class="dim">${o.hint}</span>`:null}</div>`)}
    </div>`}var Bt,Jd,_t,hl=E(()=>{z();ye();an();ln();Oe();Y();ue();Pt();da();we();fa();Bt=8,Jd=120,_t=(e,t)=>({text:e,low:e.toLowerCase(),...t})});async function Qd(){try{Vt.value=await te("catalog/datacenters",{dc:"",patience:In})}catch{}if(!C.Datacenter)try{let o=await te("agent/self",{dc:"",patience:In});
Object.assign(C,{Datacenter:o.Config.Datacenter,NodeName:o.Config.NodeName,Server:o.Config.Server})}catch{C.Datacenter=Vt.peek()[0]??""}let{dc:e,view:t,parts:n,
query:s}=D.peek();!e&&C.Datacenter?en(v(t,n,Object.fromEntries(s),C.Datacenter)):D.value={...D.peek()}}function ef({id:e}){let[,t]=y(0),[n,s]=y(""),o=kt.find(u=>u.
id===e);A(()=>{!o||$a.has(e)||o.load().then(u=>{$a.set(e,u.default),t(d=>d+1)},u=>s(String(u)))},[e]),A(()=>{document.activeElement===document.body&&document.getElementById(
"main")?.focus({preventScroll:!0})},[D.value.view,D.value.rest]);let a=$a.get(e);if(!o)return r`<main id="main" data-view="unknown" data-ready="true"><h1>No such page</h1><p>There is no view <code>${e}</code>. <a href=${v(
"overview")}>Overview</a></p></main>`;if(n)return r`<main id="main" data-view=${e} data-ready="true"><h1>${o.title}</h1><div class="note bad" role="alert">This part of the page could not be loaded: ${n}</div></main>`;
if(!a)return r`<main id="main" data-view=${e} data-ready="false" aria-busy="true"></main>`;let{dc:i,rest:l,parts:c}=D.value;return r`<${a} key=${`${x.value}/${e}\
/${c.map(encodeURIComponent).join("/")}`} id=${e} rest=${l} parts=${c} dc=${i} />`}function tf(){let e=D.value.view,t=[...new Set(kt.map(o=>o.group).filter(Boolean))],
n=kt.filter(o=>o.group&&(!o.ours||_e)&&(!o.need||ot(o.need)===!0)),s={instance:"services",key:"kv"}[e]??e;return r`<nav class="menu" aria-label="Pages">${t.map(
o=>{let a=n.filter(i=>i.group===o&&(o!=="Access"||Ee.value!==!1));return a.length?r`<div class="menu-group"><span class="menu-title">${o}</span>${a.map(i=>r`
      <a href=${v(i.id)} aria-current=${s===i.id?"page":void 0}>${i.title}</a>`)}</div>`:null})}</nav>`}function nf(){let e=dr.value;return Ct.value?r`<span class="pulse off" data-pulse="paused" role="status">paused</span>`:
e?r`<span class="pulse bad" data-pulse="stale" role="status">stale since ${new Date(e).toLocaleTimeString()} (${Le(Math.max(0,Ge.value-e))})</span>`:r`<span class="pulse" data-pulse="live" role="status">live</span>`}
function sf(){return r`<${Xe} title="What this page asks the agent" close=${()=>{Ie.value=""}} wide>
    <p>The token, if there is one, goes in the header <code>X-Consul-Token</code>.</p>
    ${[...Dt.value.values()].map(({path:e})=>r`<${L} key=${e} text=${ve("GET",e)} block />`)}
  <//>`}function of(){let e=[["/","filter"],["Ctrl K","find anything"],["j k ↑ ↓","go through a list"],["Enter","open"],["u","one up"],["c","the requests as\
 curl"],["w","read-only on or off"],["?","these keys"],...kt.filter(t=>t.key).map(t=>[`g ${t.key}`,t.title])];return r`<${Xe} title="Keys" close=${()=>{Ie.value=
""}}>
    <dl class="facts">${e.map(([t,n])=>r`<div key=${t}><dt><kbd>${t}</kbd></dt><dd>${n}</dd></div>`)}</dl>
  <//>`}function ml(e){let t=e.target;if((e.ctrlKey||e.metaKey)&&e.key.toLowerCase()==="k"){e.preventDefault(),Ie.value=Ie.peek()==="palette"?"":"palette";return}
if(e.ctrlKey||e.metaKey||e.altKey||t.closest("input, textarea, select, dialog[open], [contenteditable]"))return;let n=ao;ao=e.key,setTimeout(()=>{ao=""},1e3);let s=n===
"g"?kt.find(o=>o.key===e.key):void 0;s?(ao="",P(v(s.id))):e.key==="/"?(e.preventDefault(),document.querySelector("[data-filter]")?.focus()):e.key==="?"?Ie.value=
"keys":e.key==="c"&&n!=="g"?Ie.value="requests":e.key==="w"?st.value=!st.peek():e.key==="u"&&document.querySelector(".crumbs a:last-child")?.click()}function vl(){
A(()=>(Qd().finally(()=>a(!0)),document.addEventListener("keydown",ml),()=>document.removeEventListener("keydown",ml)),[]);let{dc:e,view:t}=D.value,[n,s]=y(!1),
[o,a]=y(C.Datacenter!==""),[i,l]=y(null);A(()=>s(!1),[D.value]),A(()=>{Ie.value==="palette"&&!i&&Promise.resolve().then(()=>(hl(),pl)).then(u=>l(()=>u.Palette))},
[Ie.value]);let c=Vt.value.includes(e)||!e?Vt.value:[e,...Vt.value];return r`
    <a class="skip" href="#main" onClick=${u=>{u.preventDefault(),document.getElementById("main")?.focus()}}>Skip to content</a>
    <header class="top">
      <button type="button" class="quiet burger" aria-label="Menu" aria-expanded=${n} onClick=${()=>s(!n)}>☰</button>
      <a class="brand" href=${v("overview")}>proconsul</a>
      <label class="dc"><span class="sr">Datacenter</span>
        <select value=${e} data-dc onChange=${u=>P(v(t,"",{},u.target.value))}>
          ${c.map(u=>r`<option key=${u} value=${u}>${u}</option>`)}
        </select></label>
      <${nf} />
      <span class="space"></span>
      <button type="button" class="find" onClick=${()=>{Ie.value="palette"}}>Find <kbd>Ctrl K</kbd></button>
      <button type="button" class="quiet" title="What this page asks the agent, as curl (c)" onClick=${()=>{Ie.value="requests"}}>curl</button>
      <button type="button" class="quiet" data-read-only aria-pressed=${Me.value} disabled=${C.ReadOnly}
        title=${C.ReadOnly?"The agent takes no changes from this page":"Offer no changes (w)"}
        onClick=${()=>{st.value=!st.peek()}}>${Me.value?"read-only":"read and write"}</button>
      <label><span class="sr">Theme</span>
        <select value=${ft.value} data-theme-picker onChange=${u=>{ft.value=u.target.value}}>
          <option value="auto">auto</option><option value="light">light</option><option value="dark">dark</option></select></label>
      ${Ee.value===!1?null:r`<a class="button quiet" href=${v("login")}>${O.value?"Token":"Log in"}</a>`}
      <button type="button" class="quiet" aria-label="Keys" title="Keys (?)" onClick=${()=>{Ie.value="keys"}}>?</button>
    </header>
    <div class=${`body ${n?"menu-open":""}`}>
      ${o?r`<${tf} />`:null}
      ${o?r`<${ef} id=${t} />`:r`<main id="main" data-view=${t} data-ready="false" aria-busy="true"></main>`}
    </div>
    ${Ie.value==="keys"?r`<${of} />`:null}
    ${Ie.value==="requests"?r`<${sf} />`:null}
    ${Ie.value==="palette"&&i?r`<${i} close=${()=>{Ie.value=""}} />`:null}
    <${yr} />`}var Vt,Ie,$a,ao,fa=E(()=>{z();ue();Y();ye();Te();Oe();he();pe();we();da();Vt=B(C.Datacenter?[C.Datacenter]:[]),Ie=B("");$a=new Map;ao=""});z();ue();Y();fa();function af(){let e=new URL(C.UiRoot,location.href.split("#")[0]).pathname;return location.pathname.startsWith(e)?location.pathname.slice(e.length):
""}function rf(){let e=new URLSearchParams(location.search);if(!e.has("state")||!(e.has("code")||e.has("error")))return"";history.replaceState(null,"",location.
pathname+location.hash);let t=null;try{t=JSON.parse(sessionStorage.getItem("proconsul.oidc")??"null"),sessionStorage.setItem("proconsul.oidc",JSON.stringify({...t,
answer:e.toString()}))}catch{}return`#/${encodeURIComponent(t?.dc??"")}/login`}var pa=rf(),ha=af();if(ha&&ha!=="index.html")location.replace(new URL(C.UiRoot,location.
href.split("#")[0]).href+(pa||ar(ha)||"#/"));else{pa&&en(pa);let{dc:e,view:t,parts:n,query:s}=D.value;!e&&C.Datacenter&&en(v(t,n,Object.fromEntries(s),C.Datacenter));
let o=document.getElementById("app");o.textContent="",mo(r`<${vl} />`,o)}
